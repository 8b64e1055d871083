// mmap() of p2pdma memory fails after it took a page from the pool, and gives the page back. Another process takes the same
// page before the first is done with it.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, p2pmem_pool, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm0 = struct(Mm)
const mm1 = struct(Mm)
const vma0: Vma = struct(Vma, { mm: mm0, file: p2pmem_inode, linked: false, page_table: false })
const vma1: Vma = struct(Vma, { mm: mm1, file: p2pmem_inode, linked: false })

/** What came of the first mmap(). */
class First {
  failed = false
}
const first = struct(First)

export default scenario({
  about: 'an mmap() of p2pdma memory that fails against one by another process',
  bounds: '2 threads, 1 page, 2 processes, one failed allocation of a page table',
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma0
    p2pmem_inode.i_mmap[1] = vma1
  },
  threads: {
    first() {
      if (mmap_p2pmem(vma0)) munmap(vma0)
      else first.failed = true
    },
    second() {
      if (mmap_p2pmem(vma1)) munmap(vma1)
    },
  },
  always: {
    'a page that is mapped is not free': () => vma1.pte.kind !== 'present' || page._refcount > 0,
  },
  finally: {
    'the page is free': () => page._refcount === page.held.base && !p2pmem_pool.taken[0],
    'the pgmap has no reference but those of memremap_pages()': () => pgmap.ref.percpu_count === 1,
  },
  sometimes: {
    'the first mmap() fails and the second process has the page': () => first.failed && vma1.pte.kind === 'present',
  },
})
