// A PMD entry of a DAX file is split, because half of its range is unmapped, while a device pins a page of the other half; then
// the file is truncated.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'half of a PMD entry is unmapped while a device pins a page of the other half; then truncate (ext4)',
  bounds: '2 threads, 1 PMD entry of 2 pages',
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, true)
  },
  threads: {
    dma() {
      const got = pin_user_pages_fast(vma1)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    unmap() {
      munmap(vma0)
      ext4_setattr(file)
    },
  },
  sometimes: {
    'a page is pinned and its PMD entry split': () => transfer.target === page1 && pmd.entry.kind !== 'present',
    'truncate waits while the device writes': () => bit_wait_table.waiting[1] !== null && transfer.target === page1,
  },
  unreachable: {
    'a page is pinned and its PMD entry split': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
    'truncate waits while the device writes': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[1] === transfer.target,
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null,
    'nobody maps the pages': () => pmd.entry.kind !== 'present' && page0._mapcount === 0 && page1._mapcount === 0,
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
    'the pages are single ones of nobody': () => page0.order === 0 && page1.compound_head === null && page0.mapping === null && page1.mapping === null,
  },
})
