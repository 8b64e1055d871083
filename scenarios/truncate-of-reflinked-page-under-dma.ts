// Two files share a block; a device writes into it, pinned through the mapping of one, while the other maps it too and is
// truncated. The block stays with the first file.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

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
  about: 'DMA from a page two files share, mapped by one, while the other one is truncated (xfs)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['truncate-sleeps-on-refault', 'reflink-share-count', 'shared-page-held-through-other-file'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, false)
  },
  threads: {
    dma() {
      const got = get_user_pages_fast(vma)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        put_user_page(got)
      }
    },
    truncate() {
      user_access(vma_other, false)
      xfs_vn_setattr(other)
    },
  },
  sometimes: {
    'both files map the page': () => vma.pte.kind === 'present' && vma_other.pte.kind === 'present',
    'truncate waits for the device': () => bit_wait_table.waiting[1] === page && transfer.target === page,
  },
  always: {
    'the device reads blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is of the first file only': () => file.blocks[0] === page && other.blocks[0] === null,
    'one file is counted, or the page is known to be its': () => page.share === 1 || page.mapping === file,
  },
})
