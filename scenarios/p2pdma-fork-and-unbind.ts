// A process with a mapping of p2pdma memory forks: its page table is copied, as vm_insert_page() made the VMA a mixed one. Both
// mappings go, one by the process itself and one by unbinding, and the page goes back to the pool once.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, pci_device_remove, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { dup_mmap } from '../kernel/kernel/fork.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm = struct(Mm)
const child_mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file: p2pmem_inode, linked: false })
const child: Vma = struct(Vma, { mm: child_mm, file: p2pmem_inode, linked: false })

export default scenario({
  about: 'fork() of a mapping of p2pdma memory, and the end of the parent, against the unbinding of its device',
  bounds: '2 threads, 1 page, 2 processes',
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma
    p2pmem_inode.i_mmap[1] = child
    mmap_p2pmem(vma)
  },
  threads: {
    fork() {
      dup_mmap(vma, child)
      munmap(vma)
    },
    unbind() {
      pci_device_remove(1)
    },
  },
  finally: {
    'the pgmap is gone': () => pgmap_array.entry === null,
    'nothing is mapped': () => vma.pte.kind === 'none' && child.pte.kind === 'none',
  },
  sometimes: {
    'the child has the page alone': () => child.pte.kind === 'present' && vma.pte.kind === 'none' && page._refcount === 1,
    'unbind waits for the page': () => pgmap.ref.mode.dead && page.held.pte > 0,
  },
})
