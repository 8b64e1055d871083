// virtiofs takes a range of its DAX window from one file for another, while a device writes into a page of it: the window is memory of
// the host, and the device would write into the other file.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { lookup_and_reclaim_dmap } from '../kernel/fs/fuse/dax.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page0 = struct(Page)
const page1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'fuse', blocks: [page0, page1] })
const vma0: Vma = struct(Vma, { mm, file, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, index: 1 })
const other: AddressSpace = struct(AddressSpace, { kind: 'fuse', i_size: 1 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'a range of the DAX window is taken from a file, whose page a device has pinned, and given to another (fuse)',
  bounds: '2 threads, 2 pages, 2 files, one pin',
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    other.i_mmap[0] = vma_other
    user_access(vma0, true)
    user_access(vma1, true)
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
    worker() {
      lookup_and_reclaim_dmap(file, 1)
      user_access(vma_other, true)
    },
  },
  sometimes: {
    'the reclaim waits while the device writes': () => bit_wait_table.waiting[1] === page1 && transfer.target === page1,
    'the other file has the range': () => other.blocks[0] === page1,
  },
  unreachable: {
    'the reclaim waits while the device writes': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device does not write into another file': () => transfer.target === null || file.blocks[1] === transfer.target,
  },
  finally: {
    'the page of the other range stays where it is': () => vma0.pte.page === page0 && page0.mapping === file,
    // The device's driver may touch its buffer again before the other file does.
    'the range is of the file that took it': () => page1.mapping === (other.blocks[0] === page1 ? other : file),
    'each reference belongs to an entry or to the page at rest': () => page1._refcount === page1.held.base + page1.held.pte,
  },
})
