// The process asks for its range on an AMD GPU although it is there already: the range goes on with the memory it has. Then it touches its page, and
// exits; and TTM may want the memory meanwhile.
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
  about: 'a range goes to the GPU twice, comes back, and its process exits',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
  },
  threads: {
    process() {
      svm_range_prefetch_to_vram()
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
  always: {
    'a range has one page on the GPU at most': () => svm_range.vram_pages <= 1,
  },
  sometimes: {
    'the page is on the GPU': () => vma.pte.kind === 'device_private',
    'the exit ends the range': () => kfd.exited,
  },
  unreachable: {
    'the page is on the GPU': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
