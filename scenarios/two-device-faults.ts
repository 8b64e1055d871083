// Two threads of a process fault on the same device-private page: each holds a reference that the other's exact test of
// the count does not expect, so that neither migrates it.
import { expect, identical, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { page_wait_table } from '../kernel/include/linux/pagemap.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'two CPU faults on one device-private page',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  // Before v6.1 a fault takes no reference, which is another bug: device-fault-and-dontneed.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['two-faults-livelock'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    reader: identical(2, () => {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    }),
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => mdevice.free_pages === device,
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
  },
  sometimes: {
    'both are in the fault of the page': () => page_wait_table.waiting[0] === device || page_wait_table.waiting[1] === device || device.held.fault > 1,
    'a fault waits for the page being migrated': () =>
      vma.pte.kind === 'migration' && (page_wait_table.waiting[0] === device || page_wait_table.waiting[1] === device),
  },
})
