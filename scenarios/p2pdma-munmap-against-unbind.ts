// The last mapping of a p2pdma page goes while its device is unbound. The page's reference of the pgmap is all that unbinding
// waits for: whoever gives it back may not touch the page afterwards.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, pci_device_remove, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file: p2pmem_inode, linked: false })

export default scenario({
  about: 'munmap() of a p2pdma page against the unbinding of its device',
  bounds: '2 threads, 1 page',
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma
    mmap_p2pmem(vma)
  },
  threads: {
    program() {
      munmap(vma)
    },
    unbind() {
      pci_device_remove(1)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
  },
  sometimes: {
    'unbind waits for the page': () => pgmap.ref.mode.dead && page.held.pte > 0,
  },
})
