// A process has written to a block that two files share, through its mapping, which made a copy of its own; fsync() has made the mapping
// read-only. Now the page is the source of a direct write elsewhere: it is pinned by who will only read it.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_writeback_one } from '../kernel/fs/dax-writeback.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast_read, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const shared_page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [shared_page, copy] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [shared_page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a page of a file that shared its block is pinned for reading, through a mapping that fsync() has made read-only (xfs)',
  bounds: '1 thread, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['shared-page-looks-anonymous'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
    user_access(vma, true)
    dax_writeback_one(file, 0)
  },
  threads: {
    writer() {
      const page = pin_user_pages_fast_read(vma)
      expect(page !== null, 'a page that the process can read can be pinned for reading')
      if (page !== null) unpin_user_page(page)
    },
  },
  sometimes: {
    'the page is a copy, mapped for reading only': () => file.blocks[0] === copy && vma.pte.page === copy && !vma.pte.write,
  },
  finally: {
    'nobody holds the page': () => copy.held.gup === 0 && copy.held.pin === 0,
  },
})
