// nouveau is unbound from its device while a process asks for a page there. The ioctl looks whether the device is unplugged only when
// it begins, and the free list keeps the pages of a chunk that goes.
import { scenario, struct } from 'putpage/model'
import { dmem, nouveau_dmem_chunk_alloc, nouveau_dmem_fini } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'nouveau gives up its memory against the allocation of a page of it',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
  },
  threads: {
    process() {
      nouveau_svmm_bind(svmm, vma)
      exit_mmap(vma)
    },
    unbind() {
      nouveau_dmem_fini()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'a page is allocated while the pgmap is dead': () => pgmap.ref.mode.dead && device.held.alloc > 0,
    'the page was on the device and is free before the pgmap dies': () => dmem.free_pages === device && ram0.buddy && !pgmap.ref.mode.dead,
    'the pgmap is released': () => pgmap.ref.released,
  },
})
