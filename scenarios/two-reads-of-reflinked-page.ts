// Two files share a block. Both are read through mappings for the first time, and truncated, at once. Each has a lock of its
// own for what it does to the page they share.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
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
  about: 'two files that share a block are read through mappings, and truncated, at the same time (xfs)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['reflink-share-lost'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
  },
  threads: {
    one() {
      user_access(vma, false)
      xfs_vn_setattr(file)
    },
    two() {
      user_access(vma_other, false)
      xfs_vn_setattr(other)
    },
  },
  sometimes: {
    'both files map the page': () => vma.pte.kind === 'present' && vma_other.pte.kind === 'present',
    'both files have an entry of the page': () => file.entries[0].page === page && other.entries[0].page === page,
  },
  finally: {
    'the page belongs to no file': () => page.mapping === null && !page.dax_shared && page.share === 0,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0,
  },
})
