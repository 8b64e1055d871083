// Two pages of an ext4 file are pinned while it is truncated: a layout break that ends when the first has become idle frees
// the second one's block under DMA.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page0 = struct(Page)
const page1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page0, page1] })
const vma0: Vma = struct(Vma, { mm, file, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, index: 1 })
const transfer0 = struct(DmaTransfer)
const transfer1 = struct(DmaTransfer)

function start(vma: Vma, transfer: DmaTransfer): void {
  user_access(vma, true)
  const page = pin_user_pages_fast(vma)
  if (page !== null) dma_map_page(transfer, page)
}

function complete(transfer: DmaTransfer): void {
  const page = transfer.target
  if (page === null) return
  dma_unmap_page(transfer)
  unpin_user_page(page)
}

export default scenario({
  about: 'two pages of a file are pinned while it is truncated (ext4)',
  bounds: '3 threads, 2 pages, a pin each',
  shows: ['break-layouts-ends-early'],
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    start(vma0, transfer0)
    start(vma1, transfer1)
  },
  threads: {
    dma0() {
      complete(transfer0)
    },
    dma1() {
      complete(transfer1)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits for the first page': () => bit_wait_table.waiting[2] === page0 && transfer0.target !== null,
    'truncate waits for the second page': () => bit_wait_table.waiting[2] === page1 && transfer1.target !== null,
  },
  unreachable: {
    'truncate waits for the first page': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
    'truncate waits for the second page': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () =>
      (transfer0.target === null || file.blocks[0] === transfer0.target) && (transfer1.target === null || file.blocks[1] === transfer1.target),
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null,
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
  },
})
