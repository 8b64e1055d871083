// A process maps p2pdma memory while the device is unbound. Unbinding lets operations on the file end, and takes away what is
// mapped; the process goes on, and unmaps nothing.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, pci_device_remove, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file: p2pmem_inode, linked: false })

export default scenario({
  about: 'mmap() of p2pdma memory, which stays mapped, against the unbinding of its device',
  bounds: '2 threads, 1 page',
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma
  },
  threads: {
    program() {
      mmap_p2pmem(vma)
    },
    unbind() {
      pci_device_remove(1)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'nothing is mapped any more': () => vma.pte.kind === 'none',
  },
  sometimes: {
    'unbind takes a mapping away': () => pgmap_array.entry === null && vma.linked,
    'the file is gone before mmap() begins': () => pgmap_array.entry === null && !vma.linked,
  },
})
