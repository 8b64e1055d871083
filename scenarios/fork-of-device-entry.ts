// fork() copies a device-private entry; the child exits while the parent faults the page back.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
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
  about: 'fork() of a device-private entry, and exit of the child, against a CPU fault of the parent',
  bounds: '2 threads, 1 device page, 2 ordinary pages',
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
    reader() {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    fork() {
      dup_mmap(vma, child)
      exit_mmap(child)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => mdevice.free_pages === device,
    'the parent alone has the page': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
  },
  sometimes: {
    'parent and child map the device page': () => device._mapcount === 2,
    'the child exits while the parent faults': () => child.pte.kind === 'migration' && device.held.fault + device.held.migrate > 0,
  },
})
