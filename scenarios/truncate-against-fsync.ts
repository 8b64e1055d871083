// fsync() has the entry of a pinned page locked when truncate looks for pages in use. Waiting for the entry, and looking at
// the right one afterwards, is what keeps the block until the device is done.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_writeback_one } from '../kernel/fs/dax-writeback.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'truncate meets an entry that fsync() has locked, of a pinned page (ext4)',
  bounds: '3 threads, 1 page',
  shows: ['locked-entry-skipped-again', 'locked-entry-passed-over'],
  setup() {
    memremap_pages(pgmap, 1)
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
    fsync() {
      dax_writeback_one(file, 0)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate holds its lock while the entry is locked by fsync()': () => file.invalidate_lock.owner !== null && file.entries[0].locked,
    'truncate waits for the entry': () => file.entry_queue[0].waiting[2] !== 'no',
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'the entry is gone': () => file.entries[0].kind === 'none',
  },
})
