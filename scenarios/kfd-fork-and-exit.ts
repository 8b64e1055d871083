// A process whose range is on an AMD GPU has forked, and exits; its child has the page, and with it the svm_bo. The child touches the page
// and exits.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import {
  kfd_process_exit,
  kfd_worker,
  none_is_left,
  SvmRangeBo,
  svm_migrate_init,
  svm_range_prefetch_to_vram,
} from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
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
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

export default scenario({
  about: 'a child of fork() has a page on the GPU whose process exits',
  bounds: '3 threads, 1 device page, 2 ordinary pages, 2 processes',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    svm_migrate_init(pgmap, vma, svm_bo0, svm_bo1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    svm_range_prefetch_to_vram()
    anon_vma.vmas[1] = child
    dup_mmap(vma, child)
  },
  threads: {
    parent() {
      kfd_process_exit()
    },
    child() {
      const data = user_load(child)
      expect(data === 1 || data === -1, 'the child sees the data, or SIGBUS')
      exit_mmap(child)
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
    'the page is the child alone': () => vma.pte.kind === 'none' && child.pte.kind === 'device_private',
    'the fault of the child keeps the address space of the parent': () => mm.mm_users === 2,
  },
  unreachable: {
    'the page is the child alone': { 'v5.10': 'v5.10 has no amdkfd migration' },
    'the fault of the child keeps the address space of the parent': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
