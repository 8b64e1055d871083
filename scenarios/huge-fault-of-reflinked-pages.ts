// Two xfs files share a range of two pages. One maps it page by page, as it has the blocks at an offset that is not aligned; the other one may map
// it by a PMD entry. Both are only read.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const pmd = struct(Pmd)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1] })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1], huge: true, reflink: other })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })
const single: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'a huge read fault of blocks that another file has mapped page by page (xfs)',
  bounds: '1 thread, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    other.i_mmap[0] = single
  },
  threads: {
    process() {
      user_access(single, false)
      const result = user_access(vma0, false)
      expect(result === 'done', 'a file that can be read can be read through a mapping')
    },
  },
  sometimes: {
    'the other file has its page': () => other.entries[0].page === page0,
  },
})
