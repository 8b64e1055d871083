// A CPU fault on a device-private page, while another thread of the process gives the memory up with madvise() and the
// driver gives the page to another process: CVE-2022-3523.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device } from '../kernel/lib/test_hmm.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const ram2 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm, { data: 1 })
const vma = struct(Vma, { mm })
const other_mm = struct(Mm, { data: 2 })
const other_vma = struct(Vma, { mm: other_mm })

export default scenario({
  about: 'a CPU fault on a device-private page whose entry another thread zaps, and which the driver then gives to another process',
  bounds: '2 threads, 1 device page, 3 ordinary pages',
  shows: ['fault-without-reference'],
  setup() {
    anon_vma.vmas[0] = vma
    anon_vma.vmas[1] = other_vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    give_to_buddy(2, ram2)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    handle_mm_fault(other_vma, true)
    ram0.data = 1
    ram1.data = 2
    dmirror_migrate_to_device(vma)
  },
  threads: {
    reader() {
      const data = user_load(vma)
      expect(data === 0 || data === 1, 'a process reads its own data, or zeroes after MADV_DONTNEED')
    },
    dontneed() {
      madvise_dontneed(vma)
      dmirror_migrate_to_device(other_vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) + held_in_passing(ram2) === 0,
  },
  sometimes: {
    'the page is in use by the other process': () => other_vma.pte.kind === 'device_private',
    'the entry goes while the fault migrates': () => vma.pte.kind === 'none' && device.lock.owner !== null,
  },
})
