// A process whose range is on an AMD GPU has forked and ends; its child lives on and has the page, and with it the svm_bo. TTM wants the memory
// then: it must get it, or be told that it cannot.
import { scenario, struct } from 'putpage/model'
import {
  kfd,
  kfd_process_exit,
  kfd_process_worker,
  SvmRangeBo,
  svm_migrate_init,
  svm_range_prefetch_to_vram,
  ttm_bo_evict,
} from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
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
  about: 'TTM evicts the memory of a page that only a child of the process has, which lives on',
  bounds: '3 threads, 1 device page, 2 ordinary pages, 2 processes, one eviction',
  kernels: ['v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
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
    ttm() {
      ttm_bo_evict(svm_bo0)
    },
    worker() {
      kfd_process_worker()
    },
  },
  always: {
    'the memory of a page that is mapped is not given to somebody else': () => child.pte.kind !== 'device_private' || device.data === 1,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the page is the child alone, and the range is gone': () => kfd.exited && child.pte.kind === 'device_private',
    'the eviction comes first': () => child.pte.kind === 'present',
  },
})
