// A pinned page is waited for by truncate; meanwhile another thread touches it again, and its mapping stays. Where mappings
// hold references the count the truncation waits for never comes.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'a page is touched again while truncate waits for its pin (ext4)',
  bounds: '3 threads, 1 page',
  shows: ['truncate-sleeps-on-refault'],
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
    touch() {
      user_access(vma, true)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'the page is mapped while truncate sleeps': () => bit_wait_table.waiting[2] === page && file.invalidate_lock.owner === null && vma.pte.kind === 'present',
  },
  unreachable: {
    'the page is mapped while truncate sleeps': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nothing maps the page': () => vma.pte.kind === 'none' && page._mapcount === 0,
  },
})
