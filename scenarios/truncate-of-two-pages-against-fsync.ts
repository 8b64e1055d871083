// Two pages of a DAX file, the first pinned; fsync() has its entry locked when truncate walks the entries. A walk that goes on
// behind the locked entry finds the second page idle, and never looks at the first.
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

export default scenario({
  about: 'truncate of two pages meets the first one pinned, its entry locked by fsync() (ext4)',
  bounds: '3 threads, 2 pages, a pin',
  shows: ['locked-entry-skipped-again', 'locked-entry-passed-over'],
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, false)
    user_access(vma1, false)
    user_access(vma0, true)
    const got = pin_user_pages_fast(vma0)
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
    'truncate meets the entry locked by fsync()': () => file.invalidate_lock.owner !== null && file.entries[0].locked && vma1.pte.kind === 'none',
    'truncate waits for the entry of the first page': () => file.entry_queue[0].waiting[2] !== 'no',
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null,
    'the entries are gone': () => file.entries[0].kind === 'none' && file.entries[1].kind === 'none',
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
  },
})
