// test_hmm goes while a process has a large folio of it mapped, and RAM has no folio as large: what is evicted cannot come back whole.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_large_chunk, dmirror_device_remove_large_chunk, dmirror_migrate_range_to_device } from '../kernel/lib/test_hmm-folio.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'test_hmm gives up its memory while a large folio of it is mapped and RAM has only single pages',
  bounds: '1 thread, 2 device pages, 2 ordinary pages, one folio of two pages',
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
  },
  threads: {
    remove() {
      dmirror_device_remove_large_chunk(pgmap)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'both pages came back': () => vma0.pte.kind === 'present' && vma1.pte.kind === 'present',
  },
  sometimes: {
    'the folio is being evicted': () => device0.held.migrate > 0,
  },
})
