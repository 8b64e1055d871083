// A process asks nouveau for memory of the GPU where it has none yet, and touches it meanwhile: the CPU's page takes the place, and the page of the
// GPU goes back to the free list. Nothing of the GPU may lead to it then.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dmem, nouveau_dmem_chunk_alloc } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const svmm = struct(NouveauSvmm)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'migration of a hole to the GPU against the first touch of the page by the CPU',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one migration',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    nouveau_dmem_chunk_alloc(pgmap, 1)
  },
  threads: {
    bind() {
      nouveau_svmm_bind(svmm, vma)
    },
    process() {
      user_access(vma, true)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the GPU maps no page that is free': () => svmm.entry === null || dmem.free_pages === null,
    'the device page is free, or mapped': () => dmem.free_pages === device || vma.pte.page === device,
  },
  sometimes: {
    'the process comes first': () => vma.pte.kind === 'present' && device.held.alloc > 0,
    'the page goes to the device and comes back': () => vma.pte.kind === 'present' && device.held.fault > 0,
  },
  unreachable: {
    'the page goes to the device and comes back': {
      'v5.10': 'a CPU fault takes no reference',
      'v5.15+seed': 'a CPU fault takes no reference',
      'v5.18': 'a CPU fault takes no reference',
    },
  },
})
