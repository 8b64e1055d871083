// As truncate-against-gup, by the slow path of get_user_pages() alone, which works under the page-table lock.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { get_user_pages_unlocked, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'get_user_pages_unlocked() and DMA against truncate (ext4)',
  bounds: '2 threads, 1 page',
  shows: ['generic-413'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    dma() {
      const got = get_user_pages_unlocked(vma, true)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        put_user_page(got)
      }
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits while the device writes': () => bit_wait_table.waiting[1] === page && transfer.target === page,
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
