// A page in coherent device memory is pinned for long while its driver migrates it back, and to the device again.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, dmirror_migrate_to_system, mdevice } from '../kernel/lib/test_hmm.ts'
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

/** What the thread that pins has got. */
class Pinned {
  page: Page | null = null
  refused = false
}
const pinned = struct(Pinned)

export default scenario({
  about: 'a long-term pin of a page in coherent memory against its migration by the driver, back and forth',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one pin that is kept, one migration each way',
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
    driver() {
      dmirror_migrate_to_system(vma)
      dmirror_migrate_to_device(vma)
    },
  },
  finally: {
    'no page in device memory is pinned': () => device.held.pin === 0,
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'what is pinned is what is mapped': () => pinned.page === null || (vma.pte.page === pinned.page && vma.pte.kind === 'present'),
    'the page is mapped once': () => vma.pte.kind === 'present' && vma.pte.page!._mapcount === 1 && vma.pte.page!.held.pte === 1 && vma.pte.page!.data === 1,
    'the device page is free or mapped': () =>
      !change.device_coherent || vma.pte.page === device || (device._refcount === device.held.base && mdevice.free_pages === device),
  },
  sometimes: {
    'the page leaves the device and is pinned': () => pinned.page !== null && device._mapcount === 0,
    'the pin is refused: the driver holds the page': () => pinned.refused,
    'the page goes to the device while GUP looks for it': () => pinned.page === null && !pinned.refused && device.held.pte > 0 && ram0.buddy && ram1.buddy,
  },
})
