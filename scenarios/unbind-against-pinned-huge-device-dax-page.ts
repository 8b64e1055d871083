// A device-dax instance that maps by PMD entries is unbound while a page behind the first is pinned, as RDMA does for long. Of a
// compound page the head is pinned, and the head is what a teardown could wait for.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dev_dax_probe, unregister_dev_dax } from '../kernel/drivers/dax/device.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast_longterm, unpin_user_page } from '../kernel/mm/gup.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'generic', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'dev_dax', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'unbinding a device-dax instance against a long-term pin of a page that a PMD entry maps',
  bounds: '2 threads, 1 PMD entry of 2 pages, one pin',
  shows: ['unbind-ignores-pins'],
  setup() {
    dev_dax_probe(file, pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, true)
    const got = pin_user_pages_fast_longterm(vma1)
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
      unregister_dev_dax(file, pgmap, 2)
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
