// Two files share a block. A device reads it, pinned through a mapping of the first, when a write to that mapping copies it: the file has
// the copy from then on, and nobody has an entry of the old block. The other file, which was never mapped, is truncated.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, copy] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'a page two files share is copied while a device reads it, and the other file is truncated (xfs)',
  bounds: '2 threads, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['folio-put-warns-of-used-page'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
    user_access(vma, false)
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
    process() {
      user_access(vma, true)
      xfs_vn_setattr(other)
    },
  },
  sometimes: {
    'the page is copied while the device reads it': () => file.blocks[0] === copy && transfer.target === page,
    'nobody has the old block': () => free_blocks.block === page,
  },
  always: {
    'no block is free that a device reads': () => transfer.target === null || free_blocks.block !== transfer.target,
  },
  finally: {
    'the file has the copy': () => file.blocks[0] === copy && (copy.mapping === file || copy.dax_shared),
  },
})
