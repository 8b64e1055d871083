// Two threads pin a page in coherent device memory for long at once: each makes its pin an ordinary reference before it
// migrates the page, and each of these references is in the way of the other's migration.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { pin_user_pages_fast_longterm } from '../kernel/mm/gup.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { change } from '../kernel/switches.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

/** What the threads have got. */
class Pinned {
  first: Page | null = null
  first_refused = false
  second: Page | null = null
  second_refused = false
}
const pinned = struct(Pinned)

export default scenario({
  about: 'two long-term pins of one page in coherent memory',
  bounds: '2 threads, 1 device page, 2 ordinary pages, two pins that are kept',
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
    first() {
      pinned.first = pin_user_pages_fast_longterm(vma)
      if (pinned.first === null) pinned.first_refused = true
    },
    second() {
      pinned.second = pin_user_pages_fast_longterm(vma)
      if (pinned.second === null) pinned.second_refused = true
    },
  },
  finally: {
    'no page in device memory is pinned': () => device.held.pin === 0,
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'what is pinned is what is mapped': () =>
      (pinned.first === null || vma.pte.page === pinned.first) && (pinned.second === null || vma.pte.page === pinned.second),
    'the page is mapped once': () => vma.pte.kind === 'present' && vma.pte.page!._mapcount === 1 && vma.pte.page!.held.pte === 1 && vma.pte.page!.data === 1,
    'the device page is free or mapped': () =>
      !change.device_coherent || vma.pte.page === device || (device._refcount === device.held.base && mdevice.free_pages === device),
  },
  sometimes: {
    'both pins are there': () => pinned.first !== null && pinned.second !== null,
    'one is refused': () => pinned.first_refused !== pinned.second_refused,
    'both are refused': () => pinned.first_refused && pinned.second_refused,
  },
})
