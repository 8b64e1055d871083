// Three processes sync a file while three devices write into its page, and truncate looks for pages in use: the entry is locked
// three times, and freed by the last pin only.
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
const transfer2 = struct(DmaTransfer)
const transfer3 = struct(DmaTransfer)

export default scenario({
  about: 'truncate meets an entry that three fsync() lock in turn, of a page that three devices write into (ext4)',
  bounds: '7 threads, 1 page, 3 pins',
  deep: true,
  shows: ['locked-entry-skipped-again', 'locked-entry-passed-over'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
    const got = pin_user_pages_fast(vma)
    if (got !== null) dma_map_page(transfer, got)
    const other = pin_user_pages_fast(vma)
    if (other !== null) dma_map_page(transfer2, other)
    const third = pin_user_pages_fast(vma)
    if (third !== null) dma_map_page(transfer3, third)
  },
  threads: {
    dma() {
      const got = transfer.target
      if (got !== null) {
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    dma2() {
      const got = transfer2.target
      if (got !== null) {
        dma_unmap_page(transfer2)
        unpin_user_page(got)
      }
    },
    dma3() {
      const got = transfer3.target
      if (got !== null) {
        dma_unmap_page(transfer3)
        unpin_user_page(got)
      }
    },
    fsync() {
      dax_writeback_one(file, 0)
    },
    fsync2() {
      dax_writeback_one(file, 0)
    },
    fsync3() {
      dax_writeback_one(file, 0)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate holds its lock while the entry is locked by fsync()': () => file.invalidate_lock.owner !== null && file.entries[0].locked,
    'truncate waits for the entry': () => file.entry_queue[0].waiting[6] !== 'no',
  },
  always: {
    'the devices write into blocks of the file only': () =>
      (transfer.target === null || file.blocks[0] === transfer.target) &&
      (transfer2.target === null || file.blocks[0] === transfer2.target) &&
      (transfer3.target === null || file.blocks[0] === transfer3.target),
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'the entry is gone': () => file.entries[0].kind === 'none',
  },
})
