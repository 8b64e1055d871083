// A block that two files share is written to through one file's mapping, which copies it. Another process has the same file
// mapped: it must see the copy from then on, so the fault takes its mapping away.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
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
const writing: Vma = struct(Vma, { mm, file, index: 0 })
const reading: Vma = struct(Vma, { mm: mm2, file, index: 0 })

export default scenario({
  about: 'a shared block is copied for the process that writes to it, while another one reads the same file (xfs)',
  bounds: '2 threads, 2 pages, 2 files, two mappings of one',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = writing
    file.i_mmap[1] = reading
  },
  threads: {
    write() {
      user_access(writing, true)
    },
    read() {
      user_access(reading, false)
    },
  },
  sometimes: {
    'the old page is mapped for reading before the copy is made': () => reading.pte.page === shared_page && file.blocks[0] === shared_page,
    'the reader sees the copy': () => reading.pte.page === copy,
  },
  finally: {
    'the writer has the copy mapped': () => writing.pte.page === copy && file.blocks[0] === copy,
    'who maps the file sees what was written': () => reading.pte.kind === 'none' || reading.pte.page === copy,
  },
})
