// A step of a migration to or from the memory of an AMD GPU fails: the mapping of a page for DMA, or the copy. Afterwards the process exits, and
// everything has to be given back.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import {
  kfd,
  kfd_process_exit,
  kfd_worker,
  none_is_left,
  SvmRangeBo,
  svm_migrate_init,
  svm_range,
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
  about: 'migration of a range to the GPU and back, with steps that may fail, and the exit of the process',
  bounds: '2 threads, 1 device page, 2 ordinary pages, each step fails at most once',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    kfd.copies_fail = true
  },
  threads: {
    process() {
      svm_range_prefetch_to_vram()
      user_access(vma, false)
      kfd_process_exit()
    },
    worker() {
      kfd_worker()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'every svm_bo is released': () => none_is_left(),
    'the ordinary pages are free': () => ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'the page is on the GPU': () => vma.pte.kind === 'device_private',
    'the page stays, as it could not be copied': () => svm_range.svm_bo !== null && vma.pte.kind === 'present' && device.data === 1 && !svm_range.actual_loc,
    'the page cannot come back': () => kfd.exiting && kfd.release_work[0],
  },
  unreachable: {
    'the page is on the GPU': { 'v5.10': 'v5.10 has no amdkfd migration' },
    'the page stays, as it could not be copied': { 'v5.10': 'v5.10 has no amdkfd migration' },
    'the page cannot come back': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
