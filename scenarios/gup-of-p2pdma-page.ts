// A mapping of p2pdma memory is the buffer of direct I/O: a block device that can reach it pins it with FOLL_PCI_P2PDMA, others
// are refused. The mapping goes and the device is unbound while the transfer runs.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, pci_device_remove, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, pin_user_pages_fast_p2pdma, unpin_user_page } from '../kernel/mm/gup.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file: p2pmem_inode, linked: false })
const transfer = struct(DmaTransfer)

/** What others than peers get. */
class Refusal {
  taken = false
}
const refusal = struct(Refusal)

export default scenario({
  about: 'direct I/O into a mapping of p2pdma memory against the unbinding of its device',
  bounds: '2 threads, 1 page, one pin',
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma
    mmap_p2pmem(vma)
  },
  threads: {
    dma() {
      if (pin_user_pages_fast(vma) !== null) refusal.taken = true
      const got = pin_user_pages_fast_p2pdma(vma)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        unpin_user_page(got)
      }
    },
    unbind() {
      pci_device_remove(1)
    },
  },
  always: {
    'who does not ask for p2pdma pages gets none': () => !refusal.taken,
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
  },
  sometimes: {
    'unbind waits for the transfer': () => pgmap.ref.mode.dead && transfer.target !== null && vma.pte.kind === 'none',
  },
})
