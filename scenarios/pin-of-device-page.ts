// get_user_pages() of memory that is on the device brings it back; then it migrates to the device again, or not, as the
// page is pinned.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { pin_user_pages_fast } from '../kernel/mm/gup.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the thread that pins has got. */
class Pinned {
  page: Page | null = null
}
const pinned = struct(Pinned)

export default scenario({
  about: 'a pin of memory that is on the device against its migration to the device',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one pin that is kept, one migration',
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
    pin() {
      pinned.page = pin_user_pages_fast(vma)
    },
    migrate() {
      dmirror_migrate_to_device(vma)
    },
  },
  always: {
    'a device-private page is never pinned': () => device.held.pin + device.held.gup === 0,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the pinned page is the one that is mapped': () => pinned.page !== null && vma.pte.page === pinned.page && vma.pte.kind === 'present',
  },
  unreachable: {
    'a pinned page is unmapped for migration': {
      'v5.18': 'the page is exclusive, and collect gives it up when it may be pinned',
      'v6.1': 'the page is exclusive, and collect gives it up when it may be pinned',
      'v6.12': 'the page is exclusive, and collect gives it up when it may be pinned',
      'v7.3': 'the page is exclusive, and collect gives it up when it may be pinned',
    },
  },
  sometimes: {
    'a pinned page is unmapped for migration': () => vma.pte.kind === 'migration' && vma.pte.page!.held.pin > 0,
    'a migration waits for nobody and fails': () => device.held.alloc === 0 && vma.pte.kind === 'present' && vma.pte.page!.held.pin > 0,
  },
})
