// Parent and child share a page after fork(), and both migrate it to the device. v5.10 tries a busy page lock twice.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
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
  about: 'migration to the device of a page that two processes map, by both at once',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
  setup() {
    anon_vma.vmas[0] = vma
    anon_vma.vmas[1] = child
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dup_mmap(vma, child)
  },
  threads: {
    child() {
      dmirror_migrate_to_device(child)
    },
    parent() {
      dmirror_migrate_to_device(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'both map the page': () => vma.pte.page === child.pte.page && vma.pte.kind === child.pte.kind,
    'the page is held by its two entries': () => vma.pte.page!.held.pte === 2 && vma.pte.page!._mapcount === 2,
  },
  sometimes: {
    'the other entry becomes a migration entry too': () => vma.pte.kind === 'migration' && child.pte.kind === 'migration',
    'both map the device page': () => device._mapcount === 2,
    'both hold the page': () => ram0.held.migrate + ram0.held.lru > 1,
  },
})
