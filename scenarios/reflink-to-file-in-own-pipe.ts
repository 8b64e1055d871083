// A task has a page of a file in a pipe of its own, and makes the file a copy of another one: FICLONERANGE waits until nobody holds the page.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_file_remap_range } from '../kernel/fs/xfs/xfs_reflink.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const old = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, old] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [old, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file: other, index: 0 })

export default scenario({
  about: 'FICLONERANGE to a file of which the task itself has a page in a pipe (xfs)',
  bounds: '1 thread, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    other.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    task() {
      // vmsplice(): the pipe holds the page until it is read.
      const held = get_user_pages_fast(vma)
      xfs_file_remap_range(file, other, 0)
      if (held !== null) put_user_page(held)
    },
  },
  sometimes: {
    'the task has the page': () => old.held.gup > 0,
  },
  finally: {
    'the files share the block': () => other.blocks[0] === page,
  },
})
