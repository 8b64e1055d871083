// A device-dax instance is unbound while one of its pages is pinned, as RDMA does for long. kill_dev_dax() takes the mapping
// away; the struct pages may go only when the pin is gone.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { unregister_dev_dax } from '../kernel/drivers/dax/device.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast_longterm, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'generic', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'dev_dax', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'unbinding a device-dax instance against a long-term pin of its page',
  bounds: '2 threads, 1 page, one pin',
  shows: ['unbind-ignores-pins'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
    const got = pin_user_pages_fast_longterm(vma)
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
    unbind() {
      unregister_dev_dax(file, pgmap)
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
