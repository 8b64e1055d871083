// mmap() of p2pdma memory finds no memory for a page table and fails. What it took of the pgmap it has to give back, or the
// device can never be unbound.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, p2pmem_pool, pci_device_remove, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file: p2pmem_inode, linked: false, page_table: false })

/** What came of the mmap() calls. */
class Result {
  failed = false
}
const result = struct(Result)

export default scenario({
  about: 'an mmap() of p2pdma memory that may fail, one more, and the device is unbound',
  bounds: '1 thread, 1 page, one failed allocation of a page table',
  shows: ['p2pdma-reset-race'],
  // A process can map p2pdma memory since v6.2: 7e9c7ef83d78.
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma
  },
  threads: {
    program() {
      if (!mmap_p2pmem(vma)) {
        result.failed = true
        mmap_p2pmem(vma)
      }
      if (vma.linked) munmap(vma)
      pci_device_remove(1)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'the pool has its page': () => !p2pmem_pool.taken[0],
  },
  sometimes: {
    'an mmap() fails and the next one works': () => result.failed && vma.linked,
  },
})
