// Compaction isolates an ordinary page that a driver is about to migrate to its device. Either takes a reference the other does not
// know, and only one of them can have the page off the LRU.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { cc, compact_page } from '../kernel/mm/compaction.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { lru_lists } from '../kernel/mm/swap.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'isolation of an ordinary page by compaction against its migration to the device and back',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one isolation',
  setup() {
    lru_lists.tracked = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
  },
  threads: {
    process() {
      dmirror_migrate_to_device(vma)
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    compaction() {
      compact_page(ram0)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the page in use is on the LRU': () => vma.pte.page!.lru && vma.pte.page!._refcount === 1,
    'a page that is free is not': () => !(ram0.buddy && ram0.lru) && !(ram1.buddy && ram1.lru) && !device.lru,
  },
  sometimes: {
    'compaction has the page': () => cc.nr_migratepages === 1,
    'the migration has the page off the LRU': () => ram0.held.lru > 0 && !ram0.lru && ram0.held.migrate === 0 && cc.nr_migratepages === 0,
    'the page is on the device': () => vma.pte.kind === 'device_private',
    'compaction takes the page, and is in the way of the migration': () => ram0.held.lru > 0 && vma.pte.kind === 'migration' && cc.total_migrate_scanned > 0,
  },
})
