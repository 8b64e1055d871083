// A file is defragmented (xfs_fsr) while a device writes into a page of it: its blocks are swapped with those of a temporary file, which is
// then truncated.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_swap_extents } from '../kernel/fs/xfs/xfs_bmap_util.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const second = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, second] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const temporary: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [second, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'the extents of a file are swapped with those of another one while a device writes into a page (xfs)',
  bounds: '2 threads, 2 pages, 2 files',
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma
    user_access(vma, true)
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
    fsr() {
      xfs_swap_extents(file, temporary)
      xfs_vn_setattr(temporary)
    },
  },
  sometimes: {
    'the file has other blocks': () => file.blocks[0] === second,
    'the device writes while the files are locked': () => transfer.target !== null && file.iolock.owner !== null,
  },
  unreachable: {
    'the device writes while the files are locked': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
    'no block is free that a device writes into': () => transfer.target === null || free_blocks.block !== transfer.target,
  },
  finally: {
    'the file has the blocks of the other': () => file.blocks[0] === second && free_blocks.block === page,
  },
})
