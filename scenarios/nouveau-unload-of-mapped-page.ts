// nouveau is unbound from its device while a process has a page there, which the process may touch meanwhile.
import { choose, expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { nouveau_dmem_chunk_alloc, nouveau_dmem_fini } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
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
  about: 'nouveau gives up its memory while a process has a page of it mapped, and may touch it',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
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
    process() {
      if (choose(2) === 0) return
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    unbind() {
      nouveau_dmem_fini()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
  },
  sometimes: {
    'the driver waits for the page': () => pgmap.ref.mode.dead && device._refcount > 0,
    'the pgmap is released': () => pgmap.ref.released,
  },
})
