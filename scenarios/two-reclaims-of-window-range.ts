// virtiofs: the worker that frees ranges of the DAX window and a write(2) that finds none free both want the range whose page somebody has
// pinned, and wait. The worker is first when it is let go, and the range becomes another file's: it must not be the writer's as well.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { fuse_setup_new_dax_mapping, lookup_and_reclaim_dmap } from '../kernel/fs/fuse/dax.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'fuse', blocks: [null, page] })
const vma: Vma = struct(Vma, { mm, file, index: 1 })
const other: AddressSpace = struct(AddressSpace, { kind: 'fuse', i_size: 1 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

/** What is pinned, by a slow read(2) into the mapping, say. */
class Pinned {
  page: Page | null = null
}
const pinned = struct(Pinned)

export default scenario({
  about: 'two who need a range of the DAX window wait for one and the same, of which a page is pinned (fuse)',
  bounds: '3 threads, 1 page, 2 files, one pin',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[1] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, true)
    pinned.page = pin_user_pages_fast(vma)
  },
  threads: {
    dma() {
      const got = pinned.page
      if (got !== null) unpin_user_page(got)
    },
    worker() {
      lookup_and_reclaim_dmap(file, 1)
      user_access(vma_other, true)
    },
    writer() {
      fuse_setup_new_dax_mapping(file, 0, 1)
    },
  },
  sometimes: {
    'both wait': () => bit_wait_table.waiting[1] === page && bit_wait_table.waiting[2] === page,
    'the writer has the range': () => file.blocks[0] === page,
    'the other file has the range': () => other.blocks[0] === page,
  },
  unreachable: {
    'both wait': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'a range of the window is of one file, or free': () =>
      file.blocks[0] === null || (file.blocks[0] !== other.blocks[0] && file.blocks[0] !== free_blocks.block),
  },
})
