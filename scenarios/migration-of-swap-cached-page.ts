// A page that came back from swap, and is still in the swap cache, migrates to the device; then the process exits. A count
// that is off by one here is seen by nobody: one thread, no race.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { add_to_swap_cache, swap_space } from '../kernel/mm/swap_state.ts'

const device = struct(Page)
const ram = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'migration to the device of a page of the swap cache, then exit',
  bounds: '1 thread, 1 device page, 1 ordinary page, one slot of the swap cache',
  shows: ['stale-swap-mapping'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    add_to_swap_cache(ram)
  },
  threads: {
    process() {
      dmirror_migrate_to_device(vma)
      exit_mmap(vma)
    },
  },
  always: {
    'the swap cache holds what it leads to': () => swap_space.slot === null || swap_space.slot.swapcache,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram) === 0,
    'the device page is free': () => mdevice.free_pages === device && device._refcount === device.held.base,
    'the ordinary page is free, or in the swap cache alone': () => (ram.swapcache ? ram._refcount === 1 : ram.buddy),
  },
  sometimes: {
    'the page is on the device, or was refused and is still in the swap cache': () =>
      vma.pte.kind === 'device_private' || (vma.pte.kind === 'none' && ram.swapcache),
    'the page is a source, and in the swap cache': () => vma.pte.kind === 'migration' && ram.swapcache,
  },
})
