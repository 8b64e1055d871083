// Two files share a block. One is mapped, and a device reads the page for a while; the other, which was mapped too, loses its name and its
// last user. The block stays with the first file.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_fs_evict_inode } from '../kernel/fs/xfs/xfs_super.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'DMA from a page two files share, mapped by one, while the last user of the other one goes (xfs)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['truncate-sleeps-on-refault', 'shared-page-held-through-other-file'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, false)
    user_access(vma_other, false)
    const got = get_user_pages_fast(vma)
    if (got !== null) dma_map_page(transfer, got)
  },
  threads: {
    dma() {
      const got = transfer.target
      if (got !== null) {
        dma_unmap_page(transfer)
        put_user_page(got)
      }
    },
    last_user() {
      munmap(vma_other)
      xfs_fs_evict_inode(other)
    },
  },
  sometimes: {
    'nobody maps the file while the device reads': () => !vma_other.linked && transfer.target === page,
  },
  finally: {
    'the block is of the first file only': () => file.blocks[0] === page && other.blocks[0] === null,
  },
})
