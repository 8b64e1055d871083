// fork() copies an entry of a page that the driver evicts: device-private, migration or present, as it happens to be.
import { scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { dmirror_allocate_chunk, dmirror_device_evict_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

export default scenario({
  about: 'fork() of an entry whose page the driver evicts',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one eviction; the child reads its memory',
  // Drivers evict since v6.1: 249881232e14, ad4c365221b0. Any other migration excludes fork() by mmap_lock.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    anon_vma.vmas[1] = child
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    fork() {
      dup_mmap(vma, child)
      user_load(child)
    },
    evict() {
      dmirror_device_evict_chunk(pgmap)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'parent and child share one page, read-only': () => vma.pte.page === child.pte.page && !vma.pte.write && !child.pte.write,
    'the page is held by its two entries': () => vma.pte.page!._refcount === 2 && vma.pte.page!._mapcount === 2,
    'the device page is free': () => mdevice.free_pages === device,
  },
  sometimes: {
    'a migration entry was copied': () => vma.pte.kind === 'migration' && child.pte.kind === 'migration',
    'the child has its entry back, the parent not yet or not any more': () => vma.pte.kind === 'migration' && child.pte.kind === 'device_private',
  },
})
