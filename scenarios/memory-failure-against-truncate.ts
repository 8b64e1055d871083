// A memory error in a page of a DAX file that a device writes into, while the file is truncated. The handler locks the entry with
// no lock of the file system, and reads the page's file again and again; truncate takes both away.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'memory_failure() of a pinned page of a DAX file against truncate (ext4)',
  bounds: '3 threads, 1 page, one pin',
  shows: ['locked-entry-passed-over'],
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
    mce() {
      memory_failure(page)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'the handler has the entry locked while truncate holds its lock': () => file.invalidate_lock.owner !== null && file.entries[0].locked,
    'the page is known to be broken': () => page.hwpoison,
    'truncate is done before the handler': () => file.blocks[0] === null && pgmap.ref.percpu_count > 1,
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'the entry is gone, and the mapping': () => file.entries[0].kind === 'none' && vma.pte.kind === 'none',
    'the handler gave the pgmap back': () => pgmap.ref.percpu_count === 1,
  },
})
