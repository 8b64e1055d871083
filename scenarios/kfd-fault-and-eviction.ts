// TTM evicts a range from the memory of an AMD GPU while the CPU touches a page of it. An eviction that could not migrate the page must not let its memory go.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { kfd, SvmRangeBo, svm_migrate_init, svm_range, svm_range_prefetch_to_vram, ttm_bo_evict } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
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
  about: 'a CPU fault on a page of a range that TTM evicts',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one eviction',
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
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    ttm() {
      ttm_bo_evict(svm_bo0)
    },
  },
  always: {
    'a range that is not on the GPU has no page there': () =>
      svm_range.actual_loc || svm_range.migrate_mutex.owner !== null || vma.pte.kind !== 'device_private',
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
    'the range knows no svm_bo that is gone': () => svm_range.svm_bo === null || kfd.taken[0],
  },
  sometimes: {
    'the eviction meets the reference of the fault': () => device.held.fault > 0 && svm_bo0.evicting,
    'the eviction brings the page back': () => kfd.vram === null && vma.pte.kind === 'present' && device.data === 3,
    'the fault brings the page back': () => kfd.release_work[0] && device.data !== 3,
  },
  unreachable: {
    'the eviction meets the reference of the fault': {
      'v5.10': 'v5.10 has no amdkfd migration',
      'v5.15+seed': 'a CPU fault takes no reference',
      'v5.18': 'a CPU fault takes no reference',
    },
    'the eviction brings the page back': { 'v5.10': 'v5.10 has no amdkfd migration' },
    'the fault brings the page back': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
