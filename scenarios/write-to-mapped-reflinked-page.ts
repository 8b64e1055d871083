// A block is shared with another file. It is mapped for reading, and written to with write(2), which copies it. Who maps the
// file sees the copy from then on; the old block is the other file's alone, which is truncated later.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_file_dax_write } from '../kernel/fs/xfs/xfs_file.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
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
  about: 'write(2) to a page that shares its block and is mapped; then the other file is truncated (xfs)',
  bounds: '2 threads, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['cow-write-leaves-old-page', 'folio-put-warns-of-used-page'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
  },
  threads: {
    write() {
      xfs_file_dax_write(file, 0)
      xfs_vn_setattr(other)
    },
    read() {
      user_access(vma, false)
    },
  },
  sometimes: {
    'the page is mapped when write(2) copies it': () => vma.pte.page === page && free_blocks.block === null && file.blocks[0] === page,
    'the file has the copy': () => file.blocks[0] === copy,
    'the file is mapped': () => vma.pte.kind === 'present',
  },
  always: {
    'no block is mapped that belongs to nobody': () => vma.pte.kind === 'none' || free_blocks.block !== vma.pte.page,
  },
  finally: {
    'who maps the file sees what was written': () => vma.pte.kind === 'none' || vma.pte.page === copy,
    'the file has the entry of its block, or none': () => file.entries[0].kind === 'none' || file.entries[0].page === copy,
  },
})
