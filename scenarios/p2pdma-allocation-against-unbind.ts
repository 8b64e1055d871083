// Another driver (nvmet, for a queue's buffers) takes memory of a PCI device and gives it back, while that device is unbound.
import { scenario, struct } from 'putpage/model'
import { p2pmem_pool, pci_alloc_p2pmem, pci_device_remove, pci_free_p2pmem, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Page } from '../kernel/include/linux/mm_types.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })

/** What the other driver has got. */
class Buffer {
  page: Page | null = null
}
const buffer = struct(Buffer)

export default scenario({
  about: 'pci_alloc_p2pmem() and pci_free_p2pmem() by a driver against the unbinding of the device whose memory it is',
  bounds: '2 threads, 1 page, one allocation',
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
  },
  threads: {
    user() {
      buffer.page = pci_alloc_p2pmem()
      const got = buffer.page
      if (got !== null) {
        buffer.page = null
        pci_free_p2pmem(got)
      }
    },
    unbind() {
      pci_device_remove(1)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'the pool had its page back': () => !p2pmem_pool.taken[0],
  },
  sometimes: {
    'unbind begins while the driver has the page': () => pgmap.ref.mode.dead && buffer.page !== null,
  },
})
