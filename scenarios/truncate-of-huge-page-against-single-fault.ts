// Two pages of a DAX file are mapped by a PMD entry. While they are truncated, another process maps the second of them by
// itself, and a device has the first one pinned.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })
const single: Vma = struct(Vma, { mm: mm2, file, index: 1 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'truncate of a PMD entry, whose first page a device writes into, against a fault on its second page (xfs)',
  bounds: '3 threads, 2 pages, a pin',
  shows: ['truncate-sleeps-on-refault'],
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    file.i_mmap[2] = single
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
    touch() {
      user_access(single, false)
    },
    truncate() {
      xfs_vn_setattr(file)
    },
  },
  sometimes: {
    'a page of the range is mapped while the other is pinned': () => single.pte.kind === 'present' && transfer.target === page0,
    'the file is truncated': () => file.blocks[0] === null && file.blocks[1] === null,
  },
  unreachable: {
    'a page of the range is mapped while the other is pinned': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'nobody maps the pages': () => single.pte.kind === 'none' && pmd.entry.kind !== 'present' && page0._mapcount === 0 && page1._mapcount === 0,
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
    'the pages are single ones of nobody': () => page0.order === 0 && page1.compound_head === null && page0.mapping === null && page1.mapping === null,
  },
})
