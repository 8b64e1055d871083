// Two xfs files share a range of two pages. One maps it by a PMD entry and reads it, then writes to its first page with write(2), which copies
// that page: the entry of the range leaves the file before its mappings go.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_file_dax_write } from '../kernel/fs/xfs/xfs_file.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const copy = struct(Page, { type: 'fsdax' })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1] })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1], huge: true, reflink: other })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })

export default scenario({
  about: 'write(2) to one page of a range that shares its blocks and is mapped by a PMD entry (xfs)',
  bounds: '1 thread, 2 pages and one more for the copy, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['folio-put-warns-of-used-page'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, false)
  },
  threads: {
    process() {
      xfs_file_dax_write(file, 0, 1)
    },
  },
  sometimes: {
    'the range is mapped by a PMD entry when it is written to': () => pmd.entry.kind === 'present' && file.cow[0] === copy,
  },
  finally: {
    'the file has the copy, and the other page': () => file.blocks[0] === copy && file.blocks[1] === page1,
    'nothing maps the old page': () => pmd.entry.kind !== 'present',
  },
})
