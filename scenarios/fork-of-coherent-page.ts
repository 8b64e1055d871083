// fork() of a page in coherent device memory, which has an ordinary entry, against a write by the parent and the page's eviction.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, dmirror_migrate_to_system, mdevice } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { munmap } from '../kernel/mm/mmap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { change } from '../kernel/switches.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })
const ram2 = struct(Page)
const child_mm = struct(Mm)
const child = struct(Vma, { mm: child_mm })

export default scenario({
  about: 'fork() of a page in coherent memory, a write, and the end of the child, against its migration by the driver',
  bounds: '2 threads, 1 device page, 3 ordinary pages, 2 processes, one migration',
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  needs: ['device_coherent'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    anon_vma.vmas[1] = child
    give_to_buddy(1, ram1)
    give_to_buddy(2, ram2)
    dmirror_allocate_coherent_chunk(pgmap, 1)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    parent() {
      dup_mmap(vma, child)
      user_access(vma, true)
      munmap(child)
    },
    driver() {
      dmirror_migrate_to_system(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) + held_in_passing(ram2) === 0,
    'the parent has its page': () => vma.pte.kind === 'present' && vma.pte.write && vma.pte.page!._mapcount === 1 && vma.pte.page!.data === 1,
    'the device page is free or mapped': () =>
      !change.device_coherent || vma.pte.page === device || (device._refcount === device.held.base && mdevice.free_pages === device),
  },
  sometimes: {
    'both processes map the device page': () => device._mapcount === 2,
    'both entries wait for the migration': () => vma.pte.kind === 'migration' && child.pte.kind === 'migration',
    'the page leaves the device': () => device._mapcount === 0 && vma.pte.kind === 'present',
  },
})
