// The same page mapped by two processes: one has a device write into it, the other touches it for the first time, while the
// file is truncated.
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

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const mm2 = struct(Mm)
const vma2: Vma = struct(Vma, { mm: mm2, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'DMA by one process and a first touch by another against truncate (ext4)',
  bounds: '3 threads, 1 page, 2 mappings',
  shows: ['truncate-sleeps-on-refault', 'lost-wake-folio-put', 'generic-413'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    file.i_mmap[1] = vma2
    user_access(vma, true)
  },
  threads: {
    dma() {
      const got = pin_user_pages_fast(vma)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    touch() {
      user_access(vma2, false)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits while the device writes': () => bit_wait_table.waiting[2] === page && transfer.target === page,
  },
  unreachable: {
    'truncate waits while the device writes': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
