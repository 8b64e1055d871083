// A file is unlinked while a page of it is pinned; its last user unmaps it, and its blocks are freed. Its pages must be idle
// before.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_evict_inode } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)
const other: AddressSpace = struct(AddressSpace, { i_size: 1 })
const mm2 = struct(Mm)
const vma2: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'the last user of an unlinked file unmaps it while a page is pinned, and its block goes to another file (ext4)',
  bounds: '2 threads, 1 page, 2 files',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma2
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
    last_user() {
      munmap(vma)
      ext4_evict_inode(file)
      user_access(vma2, true)
    },
  },
  sometimes: {
    'the file is not mapped while the device writes': () => !vma.linked && transfer.target !== null,
    'another file gets the block': () => other.blocks[0] === page,
  },
  unreachable: {
    'the file is not mapped while the device writes': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
    'the device does not write into another file': () => transfer.target === null || other.blocks[0] === null,
  },
  finally: {
    'the block is not of the file': () => file.blocks[0] === null,
    'the page belongs to the other file': () => page.mapping === other && vma2.pte.kind === 'present',
  },
})
