// test_hmm goes while a process has a large folio of it mapped by a PMD entry, and gives it up: eviction brings it back whole, or finds it
// already free.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { mdevice } from '../kernel/lib/test_hmm.ts'
import { dmirror_allocate_large_chunk, dmirror_device_remove_large_chunk, dmirror_migrate_range_to_device } from '../kernel/lib/test_hmm-folio.ts'
import { madvise_dontneed_pmd } from '../kernel/mm/madvise.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const ram1 = struct(Page)
const ram0 = struct(Page, { next_page: ram1 })
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'test_hmm gives up its memory against MADV_DONTNEED of a large folio of it',
  bounds: '2 threads, 2 device pages, 2 ordinary pages, folios of two pages',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_large_chunk(pgmap, backing0, backing1)
    dmirror_migrate_range_to_device(pmd)
    backing0.data = 1
    backing1.data = 1
  },
  threads: {
    process() {
      madvise_dontneed_pmd(pmd)
    },
    remove() {
      dmirror_device_remove_large_chunk(pgmap)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'what was given up is gone, or came back whole before it was': () => pmd.entry.kind === 'none' && ram0.buddy && ram1.buddy,
  },
  sometimes: {
    'eviction brings the folio back': () => pmd.entry.kind === 'present',
    'the folio is given up before eviction has it': () => pmd.entry.kind === 'none' && mdevice.remove && device0.held.migrate === 0 && ram0.buddy,
    'the driver waits for the folio': () => pgmap.ref.mode.dead && mdevice.remove && device0._refcount > 0,
  },
})
