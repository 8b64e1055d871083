// A page in coherent device memory is pinned for long while its driver evicts it and gives up its memory. Whoever moves the page
// away first, the pin is of ordinary memory. They can be in each other's way: then the page stays on the device, and the removal
// waits until the process exits.
import { scenario, struct } from 'putpage/model'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_coherent_chunk, dmirror_device_remove_chunks, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { pin_user_pages_fast_longterm, unpin_user_page } from '../kernel/mm/gup.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

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
  about: 'a long-term pin of a page in coherent memory against the removal of its driver',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one pin, one eviction',
  // Drivers evict since v6.1, and there is coherent memory since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
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
      const got = pinned.page
      if (got === null) pinned.refused = true
      else {
        pinned.page = null
        unpin_user_page(got)
      }
      exit_mmap(vma)
    },
    remove() {
      dmirror_device_remove_chunks(pgmap)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'no reference is left behind': () => held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  always: {
    'what is pinned is ordinary memory': () => pinned.page !== device,
  },
  sometimes: {
    'the pin moves the page away': () => pinned.page !== null && pgmap_array.entry !== null,
    'the pin finds the page in ordinary memory': () => pinned.page !== null && pgmap_array.entry === null,
    'both give up: the removal waits for the process': () => pinned.refused && pgmap.ref.mode.dead && device._mapcount === 1,
  },
})
