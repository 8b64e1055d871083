// A block is shared with another file. It is pinned through one mapping, and another process maps it for the first time: no
// block moves, nothing is truncated.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)
const vma2: Vma = struct(Vma, { mm: mm2, file, index: 0 })

export default scenario({
  about: 'two processes map a page of a file that shares its block, and one has it read by a device (xfs)',
  bounds: '2 threads, 1 page, 2 mappings',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  shows: ['folio-put-warns-of-used-page'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    file.i_mmap[1] = vma2
    user_access(vma, false)
    const got = get_user_pages_fast(vma)
    if (got !== null) dma_map_page(transfer, got)
  },
  threads: {
    dma() {
      const got = transfer.target
      if (got !== null) {
        dma_unmap_page(transfer)
        put_user_page(got)
      }
    },
    touch() {
      user_access(vma2, false)
    },
  },
  sometimes: {
    'the page is held while the other process maps it': () => page.held.gup > 0 && vma2.pte.kind === 'present',
  },
  finally: {
    'the page belongs to the file': () => page.mapping === file || page.dax_shared,
  },
})
