// A page in coherent device memory is pinned for long while another thread of the process zaps it: GUP may be left with the only
// reference of the page it migrates, and starts again with a new one.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { pin_user_pages_fast_longterm } from '../kernel/mm/gup.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { change } from '../kernel/switches.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the thread that pins has got. */
class Pinned {
  page: Page | null = null
  refused = false
}
const pinned = struct(Pinned)

export default scenario({
  about: 'a long-term pin of a page in coherent memory against MADV_DONTNEED',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one pin that is kept',
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  needs: ['device_coherent'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_coherent_chunk(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    pin() {
      pinned.page = pin_user_pages_fast_longterm(vma)
      if (pinned.page === null) pinned.refused = true
    },
    zap() {
      madvise_dontneed(vma)
    },
  },
  finally: {
    'no page in device memory is pinned': () => device.held.pin === 0,
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () =>
      !change.device_coherent || vma.pte.page === device || (device._refcount === device.held.base && mdevice.free_pages === device),
  },
  sometimes: {
    'the pin is all that holds the page': () => pinned.page !== null && vma.pte.kind === 'none',
    'the page is migrated although nothing maps it': () => device._mapcount === 0 && device.held.migrate > 0 && vma.pte.kind === 'none',
  },
})
