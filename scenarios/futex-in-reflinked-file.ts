// A futex lies in a DAX file, in a block that another file shared until it was written to. Two processes that map the file find each
// other only if both keys of the futex are made of the inode.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_futex_key } from '../kernel/kernel/futex/core.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const shared_page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [shared_page, copy] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma2: Vma = struct(Vma, { mm: mm2, file, index: 0 })

export default scenario({
  about: 'two processes use a futex in a DAX file that shared its block with another file (xfs)',
  bounds: '2 threads, 2 pages, 2 files, one look-up of the key each',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['shared-page-looks-anonymous'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
    file.i_mmap[1] = vma2
    user_access(vma, true)
  },
  threads: {
    waiter() {
      const key = get_futex_key(vma)
      expect(key === 'inode', 'the key of a futex in a file is made of the inode, for all who map it')
    },
    waker() {
      const key = get_futex_key(vma2)
      expect(key === 'inode', 'the key of a futex in a file is made of the inode, for all who map it')
    },
  },
  sometimes: {
    'both map the page of the file': () => vma.pte.page === copy && vma2.pte.page === copy,
    'a look-up holds the page': () => copy.held.gup > 0,
  },
  finally: {
    'nobody holds the page': () => copy.held.gup === 0,
  },
})
