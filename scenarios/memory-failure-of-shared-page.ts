// A memory error in a block that two xfs files share. Without a reverse mapping btree xfs cannot tell whose it is, so the handler goes
// by the file that the page names: which changes when the other file is touched.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'memory_failure() of a block that two xfs files share, one of which is read for the first time (no rmapbt)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    dax_dev.holder = 'xfs'
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, false)
  },
  threads: {
    mce() {
      memory_failure(page)
    },
    process() {
      user_access(vma_other, false)
    },
  },
  sometimes: {
    'the handler has the entry of the first file': () => file.entries[0].locked,
    'both files have the page': () => file.entries[0].page === page && other.entries[0].page === page,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(page) === 0,
    'the handler gave the pgmap back': () => pgmap.ref.percpu_count === 1,
  },
})
