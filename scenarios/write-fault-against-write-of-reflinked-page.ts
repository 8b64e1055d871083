// A block is shared with another file. A write(2) and a write fault to the same page of the file come at once: either is told to copy the
// old block, and both get the same new one.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_file_dax_write } from '../kernel/fs/xfs/xfs_file.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, copy] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'write(2) to a page that shares its block, against a write fault there (xfs)',
  bounds: '2 threads, 2 pages, 2 files, nothing is stored through the mapping',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['folio-put-warns-of-used-page'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
  },
  threads: {
    write() {
      const written = xfs_file_dax_write(file, 0, 1)
      expect(written, 'there is space for the copy')
    },
    touch() {
      user_access(vma, true)
    },
  },
  sometimes: {
    'the fault is under way when the file has what was written': () => file.blocks[0] === copy && copy.data === 1 && file.entries[0].locked,
    'the file is mapped': () => vma.pte.kind === 'present',
  },
  finally: {
    'the file has the copy': () => file.blocks[0] === copy,
    'the file has what was written': () => file.blocks[0] === null || file.blocks[0].data === 1,
    'who maps the file sees what was written': () => vma.pte.kind === 'none' || vma.pte.page === copy,
  },
})
