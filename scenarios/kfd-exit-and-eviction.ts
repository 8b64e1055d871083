// TTM evicts a range from the memory of an AMD GPU while its process exits: references of the address space, of the svm_bo and of the page
// end in any order, and the svm_bo is released once.
import { scenario, struct } from 'putpage/model'
import {
  kfd,
  kfd_process_exit,
  kfd_worker,
  none_is_left,
  SvmRangeBo,
  svm_migrate_init,
  svm_range_prefetch_to_vram,
  ttm_bo_evict,
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
  about: 'the exit of a process against the eviction of its range by TTM, with the workers of the driver',
  bounds: '3 threads, 1 device page, 2 ordinary pages, one eviction',
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
    exit() {
      kfd_process_exit()
    },
    ttm() {
      ttm_bo_evict(svm_bo0)
    },
    worker() {
      kfd_worker()
    },
  },
  always: {
    'the memory of a page in use is not given to somebody else': () => device.held.pte === 0 || device.data === 1,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'every svm_bo is released': () => none_is_left(),
    'the ordinary pages are free': () => ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the eviction ends the address space': () => kfd.exiting && svm_bo0.evicting,
    'the exit frees the page': () => kfd.exiting && svm_bo0.kref === 1 && !svm_bo0.evicting,
  },
  unreachable: {
    'the eviction ends the address space': { 'v5.10': 'v5.10 has no amdkfd migration' },
    'the exit frees the page': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
