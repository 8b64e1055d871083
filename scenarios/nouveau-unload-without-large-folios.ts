// nouveau is unloaded, or unbound from its device, while a process has a large folio on the GPU, and RAM has single pages only.
import { scenario, struct } from 'putpage/model'
import { nouveau_dmem_fini } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { nouveau_dmem_chunk_alloc_large, nouveau_svmm_bind_large } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem-folio.ts'
import { NouveauSvmm } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'nouveau gives up its memory while a process has a large folio of it mapped and RAM has only single pages',
  bounds: '1 thread, 2 device pages, 2 ordinary pages, one folio of two pages',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc_large(pgmap)
    nouveau_svmm_bind_large(svmm, pmd)
    device0.data = 1
    device1.data = 1
  },
  threads: {
    unbind() {
      nouveau_dmem_fini()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'both pages came back': () => vma0.pte.kind === 'present' && vma1.pte.kind === 'present',
  },
  sometimes: {
    'the folio is being evicted': () => device0.held.migrate > 0,
  },
})
