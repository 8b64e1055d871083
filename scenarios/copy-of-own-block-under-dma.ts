// A file shares its first block. A store to that one has left a block in the CoW fork for the second as well (cowextsize), which is this file's
// alone, and which a device writes into. A write(2), or a write fault after an fsync, moves the file to the block of the CoW fork, and frees the old one.
import { choose, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_writeback_one } from '../kernel/fs/dax-writeback.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_file_dax_write } from '../kernel/fs/xfs/xfs_file.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, copy] })
const mm = struct(Mm)
// What it shares, the first block, is not looked at.
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [null, null] })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [null, page], reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 1 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'write(2) or a write fault to a block that this file alone has, and a device writes into, where the CoW fork has a block for it (xfs)',
  bounds: '2 threads, 2 pages, 2 files, one pin',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    file.i_mmap[0] = vma
    user_access(vma, true)
    file.cow[1] = copy
    const got = pin_user_pages_fast(vma)
    if (got !== null) dma_map_page(transfer, got)
  },
  threads: {
    dma() {
      const got = transfer.target
      if (got !== null) {
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    process() {
      if (choose(2) === 0) return xfs_file_dax_write(file, 1)
      dax_writeback_one(file, 1)
      user_access(vma, true)
    },
  },
  sometimes: {
    'the file moves while the device writes': () => file.blocks[1] === copy && transfer.target === page,
    'the file moves when the device is done': () => file.blocks[1] === copy && transfer.target === null,
  },
  always: {
    'no block is free that a device writes into': () => transfer.target === null || free_blocks.block !== transfer.target,
  },
  finally: {
    'the file has the copy': () => file.blocks[1] === copy,
  },
})
