// nouveau is unbound from its device while a process that has a page there exits.
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
  about: 'nouveau gives up its memory while the process that maps a page of it exits',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  shows: ['unload-frees-mapped-page'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    nouveau_svmm_bind(svmm, vma)
  },
  threads: {
    exit() {
      exit_mmap(vma)
    },
    unbind() {
      nouveau_dmem_fini()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'no page of the chunk is in use': () => dmem.callocated === 0,
  },
  sometimes: {
    'the exit comes before the pgmap dies': () => vma.pte.kind === 'none' && !pgmap.ref.mode.dead,
    'the pgmap is released': () => pgmap.ref.released,
  },
})
