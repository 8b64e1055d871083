// The namespace under a mounted file system is unbound while a page of a file is pinned. Nothing maps the page any more;
// the struct pages may go only when the pin is gone. v5.10 waits for the pin, yet free_devmap_managed_page() looks at the page
// (is_device_private_page()) after the last reference but the base one was given back: nothing keeps the page there.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages, memunmap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'memunmap_pages() against a pinned fsdax page',
  bounds: '2 threads, 1 page, one pin',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
    const got = pin_user_pages_fast(vma)
    if (got !== null) dma_map_page(transfer, got)
    munmap(vma)
  },
  threads: {
    dma() {
      const got = transfer.target
      if (got !== null) {
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    unbind() {
      memunmap_pages(pgmap, 1)
    },
  },
  sometimes: {
    'unbind begins while the page is pinned': () => pgmap.ref.mode.dead && transfer.target !== null,
  },
  unreachable: {
    'unbind begins while the page is pinned': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
  },
})
