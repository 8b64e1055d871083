// fork() copies the page table of a mapping of a virtiofs file while the file is truncated and a page of it is pinned. It
// takes no lock of the file system, so the copy must be found, or have found nothing to copy.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { fuse_do_setattr } from '../kernel/fs/fuse/dir.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'fuse', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const mm2 = struct(Mm)
const child: Vma = struct(Vma, { mm: mm2, file, index: 0, linked: false })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'fork() of a mapping against truncate (fuse)',
  bounds: '3 threads, 1 page',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    file.i_mmap[1] = child
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
    fork() {
      dup_mmap(vma, child)
    },
    truncate() {
      fuse_do_setattr(file)
    },
  },
  sometimes: {
    'the copy is made while truncate holds its lock': () => child.pte.kind === 'present' && file.invalidate_lock.owner !== null,
    'truncate waits for the pin': () => bit_wait_table.waiting[2] === page && transfer.target !== null,
  },
  unreachable: {
    'truncate waits for the pin': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nothing maps the page': () => vma.pte.kind === 'none' && child.pte.kind === 'none' && page._mapcount === 0,
    'nobody holds the page': () => page._refcount === page.held.base,
  },
})
