// A pgmap is torn down while a process has a page of it mapped, and exits some time.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { memunmap_pages } from '../kernel/mm/memremap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'memunmap_pages() of a device-private page that a process maps until it exits',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  // v5.10 waits as each page holds the pgmap, but frees the mapped page meanwhile: driver-remove-of-mapped-page.
  kernels: ['v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
  needs: ['free_zone_device_page_at_zero'],
  shows: ['memunmap-does-not-wait'],
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
    exit() {
      exit_mmap(vma)
    },
    memunmap() {
      memunmap_pages(pgmap, 1)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the pgmap dies while the page is in use': () => pgmap.ref.mode.dead && device._refcount > 0,
    'the pgmap is released': () => pgmap.ref.released,
  },
})
