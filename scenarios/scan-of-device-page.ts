// Somebody goes over physical memory, by page frame number, while a device page is freed and handed out again. What keeps him
// away is that the page is not online memory, or, in v5.10, that it is not on the LRU. Without that, "a reference unless the
// count is 0" takes a free page that rests at 1, and gives it back as if it had been the last one.
import { choose, scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { cc, compact_page, page_idle_look } from '../kernel/mm/compaction.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'a scan of physical memory (compaction, page_idle) against the free and the next use of a device-private page',
  bounds: '2 threads, 1 device page, one scan of it',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    dmirror_migrate_to_device(vma)
  },
  threads: {
    process() {
      madvise_dontneed(vma)
      dmirror_migrate_to_device(vma)
    },
    scanner() {
      if (choose(2) === 0) compact_page(device)
      else page_idle_look(device)
    },
  },
  always: {
    'the list of free pages has an end': () => device.zone_device_data.next !== device,
    'a page of the free list is mapped by nobody': () => mdevice.free_pages !== device || device.held.pte === 0,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram) === 0,
    'the page is in use, or free': () => (vma.pte.page === device) === (mdevice.free_pages === null),
  },
  sometimes: {
    'the page is free': () => mdevice.free_pages === device,
    'the scanner is at the page, if it is anywhere online': () => cc.total_migrate_scanned > 0,
  },
  unreachable: {
    'the scanner is at the page, if it is anywhere online': {
      'v5.18': 'no device page is online',
      'v6.1': 'no device page is online',
      'v6.12': 'no device page is online',
      'v7.3': 'no device page is online',
    },
  },
})
