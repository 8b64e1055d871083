// Two threads of a process touch a page that is on an AMD GPU. The range keeps account of what is there, and a fault that finds the account
// at nothing returns without having done anything.
import { expect, identical, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { kfd, none_is_left, SvmRangeBo, svm_migrate_init, svm_range, svm_range_prefetch_to_vram } from '../kernel/drivers/gpu/drm/amd/amdkfd/kfd_svm.ts'
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
  about: 'two CPU faults on a page of a range on the GPU',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
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
    reader: identical(2, () => {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    }),
  },
  always: {
    'a range that is not on the GPU has no page there': () =>
      svm_range.actual_loc || svm_range.migrate_mutex.owner !== null || vma.pte.kind !== 'device_private',
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
    'the svm_bo is released, or will be': () => none_is_left() || kfd.release_work[0],
  },
  sometimes: {
    'a fault waits for the range': () => kfd.svms_lock.place[0] > 0 || kfd.svms_lock.place[1] > 0,
    'the page comes back': () => vma.pte.kind === 'present' && kfd.release_work[0],
  },
  unreachable: {
    'a fault waits for the range': { 'v5.10': 'v5.10 has no amdkfd migration', 'v7.3': 'one fault has the page lock, the other one waits for that' },
    'the page comes back': { 'v5.10': 'v5.10 has no amdkfd migration' },
  },
})
