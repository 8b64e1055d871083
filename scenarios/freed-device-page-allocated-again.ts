// A process exits, and the driver gives its device page to another one while the free path is not done with it: the page is
// on the driver's free list before its count has the value that a free page rests at.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })
const other_mm = struct(Mm, { data: 2 })
const other = struct(Vma, { mm: other_mm })

export default scenario({
  about: 'a device-private page freed by the exit of one process, and allocated for another before the free path has ended',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one allocation',
  shows: ['private-reset-race'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing0, backing1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
    // The two have nothing to do with each other: no walk of one's mappings meets the other's.
    anon_vma.vmas[0] = other
    handle_mm_fault(other, true)
    other.pte.page!.data = 2
  },
  threads: {
    exit() {
      exit_mmap(vma)
    },
    other() {
      dmirror_migrate_to_device(other)
      const data = user_load(other)
      expect(data === 2, 'the data comes back')
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free again': () => device._refcount === device.held.base && device._mapcount === 0,
    'the other process has its page': () => other.pte.kind === 'present' && other.pte.page!._refcount === 1 && other.pte.page!._mapcount === 1,
  },
  sometimes: {
    'the page is allocated while the exit still frees it': () => vma.ptl.owner !== null && device.held.alloc > 0,
    'the other process has the page': () => other.pte.kind === 'device_private',
  },
})
