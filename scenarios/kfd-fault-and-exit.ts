// The CPU touches the one page of a range on an AMD GPU: it comes back, and the last reference of the svm_bo, which is the page's, queues the
// release. Then the process exits, and another worker takes the range away while the release is under way.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import {
  kfd,
  kfd_process_exit,
  kfd_process_worker,
  kfd_release_worker,
  none_is_left,
  SvmRangeBo,
  svm_migrate_init,
  svm_range_prefetch_to_vram,
} from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
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
  about: 'the page of a range comes back from the GPU, and its process exits: two workers end the svm_bo and the range',
  bounds: '3 threads, 1 device page, 2 ordinary pages',
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
      user_access(vma, false)
      kfd_process_exit()
    },
    release() {
      kfd_release_worker(() => kfd.exited && none_is_left())
    },
    process_release() {
      kfd_process_worker()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'every svm_bo is released': () => none_is_left(),
    'the ordinary pages are free': () => ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the range goes before the svm_bo': () => kfd.exited && kfd.taken[0],
    'the svm_bo goes before the range': () => !kfd.taken[0] && !kfd.exited,
  },
  unreachable: {
    'the range goes before the svm_bo': {
      'v5.15+seed': 'the fault has no reference: the page is freed before the range gives up its svm_bo, at once',
      'v5.18': 'the fault has no reference: the page is freed before the range gives up its svm_bo, at once',
    },
  },
})
