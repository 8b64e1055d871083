// Two files share a block. One is written to through its mapping, which copies the block, and then truncated; the block of the
// copy goes to a third file. A page must leave its file as one of nobody.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const shared_page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [shared_page, copy] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1, reflink: other })
const third: AddressSpace = struct(AddressSpace, { kind: 'xfs', i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })
const vma_third: Vma = struct(Vma, { mm, file: third, index: 0 })

export default scenario({
  about: 'a copy of a shared block is truncated, and its block goes to another file (xfs)',
  bounds: '2 threads, 2 pages, 3 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['reflink-share-count'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    third.i_mmap[0] = vma_third
  },
  threads: {
    write() {
      user_access(vma, true)
      xfs_vn_setattr(file)
      user_access(vma_third, true)
    },
    read() {
      user_access(vma_other, false)
    },
  },
  sometimes: {
    'the copy is the block of the file': () => file.blocks[0] === copy,
    'it becomes the block of the third file': () => third.blocks[0] === copy,
    'the shared page is mapped by the other file': () => vma_other.pte.page === shared_page,
  },
  always: {
    'a mapped page is a block of the file it is mapped through': () => vma_other.pte.kind === 'none' || vma_other.pte.page === other.blocks[0],
  },
  finally: {
    'the shared page is of the other file': () => shared_page.mapping === other || shared_page.dax_shared,
    'the block of the copy is of the third file': () => copy.mapping === third && !copy.dax_shared,
  },
})
