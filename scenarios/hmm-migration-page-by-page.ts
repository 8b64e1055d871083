// A process sends a large hole to a device that has single pages only, and gives one of the two up at the same time.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { mdevice } from '../kernel/lib/test_hmm.ts'
import { dmirror_allocate_small_chunk, dmirror_migrate_range_to_device } from '../kernel/lib/test_hmm-folio.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'migration of a large hole page by page against MADV_DONTNEED of a part (test_hmm)',
  bounds: '2 threads, 2 device pages',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    dmirror_allocate_small_chunk(pgmap, backing0, backing1)
  },
  threads: {
    migrate() {
      dmirror_migrate_range_to_device(pmd)
    },
    dontneed() {
      madvise_dontneed(vma0)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) === 0,
    'the second page is on the device': () => vma1.pte.kind === 'device_private',
    'a page that was given up is free': () => vma0.pte.kind === 'device_private' || mdevice.free_pages !== null,
  },
  sometimes: {
    'a page is given up after it was migrated': () => vma0.pte.kind === 'none' && vma1.pte.kind === 'device_private' && mdevice.free_pages !== null,
    'both stay': () => vma0.pte.kind === 'device_private' && vma1.pte.kind === 'device_private',
  },
})
