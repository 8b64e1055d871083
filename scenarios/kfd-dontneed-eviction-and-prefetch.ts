// A process gives the memory of a range on an AMD GPU up (MADV_DONTNEED); TTM evicts the range, and gives the memory to somebody else. The process
// asks for the range on the GPU again: it must get other memory.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range_prefetch_to_vram, ttm_bo_evict } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
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
const svm_bo0 = struct(SvmRangeBo)
const svm_bo1 = struct(SvmRangeBo)
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'MADV_DONTNEED of a range on the GPU, its eviction by TTM, and a second migration to the GPU, one after the other',
  bounds: '1 thread, 1 device page, 2 ordinary pages, one eviction',
  kernels: ['v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    svm_range_prefetch_to_vram()
  },
  threads: {
    process() {
      madvise_dontneed(vma)
      ttm_bo_evict(svm_bo0)
      svm_range_prefetch_to_vram()
      const data = user_load(vma)
      expect(data !== 3, 'the process does not see what belongs to the next owner of the memory')
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the memory is given to somebody else': () => kfd.vram === null && device.data === 3,
    'the range goes to the GPU again': () => vma.pte.kind === 'device_private' && kfd.taken[0] !== kfd.taken[1],
  },
  unreachable: {
    'the memory is given to somebody else': {
      'v5.15+seed': 'the eviction ends the svm_bo of a range where it left no page behind: the memory is free before TTM takes it',
      'v5.18': 'the eviction ends the svm_bo of a range where it left no page behind: the memory is free before TTM takes it',
      'v6.1': 'the eviction ends the svm_bo of a range where it left no page behind: the memory is free before TTM takes it',
    },
  },
})
