// A process sends a large hole to a device whose only large folio another process has: it gets single pages instead, and the device has
// none, unless the other process takes its folio back in time.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_large_chunk, dmirror_migrate_range_to_device } from '../kernel/lib/test_hmm-folio.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const ram1 = struct(Page)
const ram0 = struct(Page, { next_page: ram1 })
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const mm_a = struct(Mm)
const mm_b = struct(Mm)
const pmd_a: Pmd = struct(Pmd)
const pmd_b: Pmd = struct(Pmd)
const vma_a0: Vma = struct(Vma, { mm: mm_a, index: 0, pmd: pmd_a })
const vma_a1: Vma = struct(Vma, { mm: mm_a, index: 1, pmd: pmd_a })
const vma_b0: Vma = struct(Vma, { mm: mm_b, index: 0, pmd: pmd_b })
const vma_b1: Vma = struct(Vma, { mm: mm_b, index: 1, pmd: pmd_b })

export default scenario({
  about: 'migration of a large hole to a device that may have no folio left (test_hmm)',
  bounds: '2 threads, 2 device pages, 2 ordinary pages, one folio of two pages, two processes',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma_a0
    anon_vma.vmas[1] = vma_a1
    pmd_a.vmas[0] = vma_a0
    pmd_a.vmas[1] = vma_a1
    pmd_b.vmas[0] = vma_b0
    pmd_b.vmas[1] = vma_b1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_large_chunk(pgmap, backing0, backing1)
    dmirror_migrate_range_to_device(pmd_a)
    backing0.data = 1
    backing1.data = 1
  },
  threads: {
    a() {
      const data = user_load(vma_a1)
      expect(data === 1, 'the data comes back')
    },
    b() {
      dmirror_migrate_range_to_device(pmd_b)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
  },
  sometimes: {
    'the hole goes to the device': () => pmd_b.entry.kind === 'device_private',
    'the folio came back': () => pmd_a.entry.kind === 'present',
  },
})
