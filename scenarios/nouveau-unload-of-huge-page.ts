// nouveau is unloaded, or unbound from its device, while a process has a large folio on the GPU: the driver has to bring it back first.
import { scenario, struct } from 'putpage/model'
import { dmem, nouveau_dmem_fini } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { nouveau_dmem_chunk_alloc_large, nouveau_svmm_bind_large } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem-folio.ts'
import { NouveauSvmm } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram1 = struct(Page)
const ram0 = struct(Page, { next_page: ram1 })
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'nouveau gives up its memory while a process has a large folio of it mapped, which nobody touches',
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
    'the folio came back whole': () => pmd.entry.kind === 'present' && ram0._refcount === 1 && ram0._mapcount === 1 && ram0.data === 1 && ram1.data === 1,
  },
  sometimes: {
    'the driver has a folio to bring it back to': () => ram0.order === 1 && ram0.data === 1,
    'the memory of the chunk is let go': () => !dmem.bo,
  },
})
