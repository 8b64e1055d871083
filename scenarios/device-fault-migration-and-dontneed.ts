// A thread reads memory that comes and goes between the device and the CPU, while two others migrate it and give it up.
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

export default scenario({
  about: 'a CPU fault, a migration to the device and MADV_DONTNEED of one page',
  bounds: '3 threads, 1 device page, 3 ordinary pages',
  shows: ['fault-without-reference'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    give_to_buddy(2, ram2)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    reader() {
      const data = user_load(vma)
      expect(data === 0 || data === 1, 'a process reads its own data, or zeroes after MADV_DONTNEED')
    },
    dontneed() {
      madvise_dontneed(vma)
    },
    migrate() {
      dmirror_migrate_to_device(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) + held_in_passing(ram2) === 0,
  },
  sometimes: {
    'the page is on the device again, or still': () => device._mapcount === 1,
    'the entry goes while the fault migrates': () => vma.pte.kind === 'none' && device.lock.owner !== null,
  },
})
