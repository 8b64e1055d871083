// The CPU touches a page that is on the GPU, and another thread gives the memory up (MADV_DONTNEED). What was there must not come back.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dmem, nouveau_dmem_chunk_alloc } from '../kernel/drivers/gpu/drm/nouveau/nouveau_dmem.ts'
import { NouveauSvmm, nouveau_svmm_bind } from '../kernel/drivers/gpu/drm/nouveau/nouveau_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
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
  about: 'a CPU fault on a page of the GPU, and MADV_DONTNEED',
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
    reader() {
      user_access(vma, false)
    },
    other() {
      madvise_dontneed(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'memory that was given up reads as zeros': () => vma.pte.kind !== 'present' || vma.pte.page!.data === 0,
    'the device page is free': () => dmem.free_pages === device,
  },
  sometimes: {
    'the page comes back': () => vma.pte.kind === 'present' && vma.pte.page!.data === 1,
    'the entry goes under the fault': () => vma.pte.kind === 'none' && device.held.fault > 0,
  },
  unreachable: {
    'the entry goes under the fault': {
      'v5.10': 'a CPU fault takes no reference',
      'v5.15+seed': 'a CPU fault takes no reference',
      'v5.18': 'a CPU fault takes no reference',
    },
  },
})
