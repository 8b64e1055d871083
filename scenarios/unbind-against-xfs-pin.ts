// The memory under a mounted xfs is unbound while a device writes into a page of a file. Since v6.8 xfs is told before, and takes
// mappings and entries away: a page that is pinned leaves its file, and nobody waits for the pin.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { pmem_unbind } from '../kernel/drivers/nvdimm/pmem.ts'
import { xfs_mount } from '../kernel/fs/xfs/xfs_mount.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'unbinding of the memory under a mounted xfs against a pin of a mapped page',
  bounds: '2 threads, 1 page, one pin',
  setup() {
    xfs_mount.rmapbt = true
    xfs_mount.files[0] = file
    dax_dev.holder = 'xfs'
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
    unbind() {
      pmem_unbind(pgmap, 1)
    },
  },
  sometimes: {
    'unbind begins while the page is pinned': () => !dax_dev.alive && transfer.target !== null,
    'the pgmap is gone': () => pgmap_array.entry === null,
  },
  unreachable: {
    'unbind begins while the page is pinned': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
})
