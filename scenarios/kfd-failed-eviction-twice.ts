// TTM evicts video memory twice: the first time the copy fails, and TTM skips it. The second time nobody remembers that a range has its
// data there.
import { scenario, struct } from 'putpage/model'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range, svm_range_prefetch_to_vram, ttm_bo_evict } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const svm_bo0 = struct(SvmRangeBo)
const svm_bo1 = struct(SvmRangeBo)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'eviction of video memory whose copy fails, and the same again (amdkfd)',
  bounds: '1 thread, 1 device page, 2 ordinary pages, two evictions',
  // Until then a worker evicts, when TTM has the fence signalled.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    svm_range_prefetch_to_vram()
    kfd.copies_fail = true
  },
  threads: {
    ttm() {
      ttm_bo_evict(svm_bo0)
      ttm_bo_evict(svm_bo0)
    },
  },
  always: {
    'the memory of a mapped device page is not given away': () => vma.pte.kind !== 'device_private' || kfd.vram === svm_bo0,
  },
  sometimes: {
    'the copy fails': () => !svm_range.on_list && vma.pte.kind === 'device_private',
    'the page comes back': () => vma.pte.kind === 'present',
  },
})
