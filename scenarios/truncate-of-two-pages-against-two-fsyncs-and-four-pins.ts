// Two pages of a file, each pinned by two devices that write into it, while fsync() works on each and truncate looks for
// pages in use: one after the other may be what it has to wait for.
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

const page0 = struct(Page)
const page1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page0, page1] })
const vma0: Vma = struct(Vma, { mm, file, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, index: 1 })
const transfer = struct(DmaTransfer)
const transfer2 = struct(DmaTransfer)
const transfer3 = struct(DmaTransfer)
const transfer4 = struct(DmaTransfer)

export default scenario({
  about: 'truncate of two pages meets both pinned twice, the entry of each locked by fsync() (ext4)',
  bounds: '7 threads, 2 pages, two pins of each',
  deep: true,
  shows: ['locked-entry-skipped-again', 'locked-entry-passed-over'],
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma1, true)
    user_access(vma0, true)
    const got = pin_user_pages_fast(vma0)
    if (got !== null) dma_map_page(transfer, got)
    const other = pin_user_pages_fast(vma1)
    if (other !== null) dma_map_page(transfer2, other)
    const third = pin_user_pages_fast(vma0)
    if (third !== null) dma_map_page(transfer3, third)
    const fourth = pin_user_pages_fast(vma1)
    if (fourth !== null) dma_map_page(transfer4, fourth)
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
    dma4() {
      const got = transfer4.target
      if (got !== null) {
        dma_unmap_page(transfer4)
        unpin_user_page(got)
      }
    },
    fsync() {
      dax_writeback_one(file, 0)
    },
    fsync2() {
      dax_writeback_one(file, 1)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate meets the entry locked by fsync()': () => file.invalidate_lock.owner !== null && file.entries[0].locked && vma1.pte.kind === 'none',
    'truncate waits for the entry of the first page': () => file.entry_queue[0].waiting[6] !== 'no',
  },
  always: {
    'the devices write into blocks of the file only': () =>
      (transfer.target === null || file.blocks[0] === transfer.target) &&
      (transfer2.target === null || file.blocks[1] === transfer2.target) &&
      (transfer3.target === null || file.blocks[0] === transfer3.target) &&
      (transfer4.target === null || file.blocks[1] === transfer4.target),
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null,
    'the entries are gone': () => file.entries[0].kind === 'none' && file.entries[1].kind === 'none',
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
  },
})
