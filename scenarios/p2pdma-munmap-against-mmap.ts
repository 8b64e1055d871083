// The last mapping of a p2pdma page goes while another process maps one: the page is back in the pool before its count is
// set to what the pool's pages have. In v6.12 the second mmap() meets a page at 0 and fails. Were such a page taken, its
// count would come to 0 a second time, under the second process.
import { scenario, struct } from 'putpage/model'
import { mmap_p2pmem, p2pmem_inode, p2pmem_pool, pci_p2pdma_add_resource } from '../kernel/drivers/pci/p2pdma.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'p2pdma', pages: [page, null] })
const mm0 = struct(Mm)
const mm1 = struct(Mm)
const vma0: Vma = struct(Vma, { mm: mm0, file: p2pmem_inode, linked: false })
const vma1: Vma = struct(Vma, { mm: mm1, file: p2pmem_inode, linked: false })

/** What came of the second mmap(). */
class Second {
  failed = false
}
const second = struct(Second)

export default scenario({
  about: 'munmap() of a p2pdma page against mmap() of the same page by another process',
  bounds: '2 threads, 1 page, 2 processes',
  shows: ['p2pdma-reset-race'],
  kernels: ['v6.12', 'v7.3'],
  setup() {
    pci_p2pdma_add_resource(pgmap, 1)
    p2pmem_inode.i_mmap[0] = vma0
    p2pmem_inode.i_mmap[1] = vma1
    mmap_p2pmem(vma0)
  },
  threads: {
    first() {
      munmap(vma0)
    },
    second() {
      if (mmap_p2pmem(vma1)) munmap(vma1)
      else second.failed = true
    },
  },
  always: {
    'a page that is mapped is not free': () => vma1.pte.kind !== 'present' || page._refcount > 0,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(page) === 0,
    'the page is free': () => page._refcount === page.held.base && !p2pmem_pool.taken[0],
    'the pgmap has no reference but those of memremap_pages()': () => pgmap.ref.percpu_count === 1,
  },
  sometimes: {
    'the second process has the page': () => vma1.pte.kind === 'present',
    'the second mmap() finds the page at 0 and fails': () => second.failed && vma0.pte.kind === 'none' && page._refcount === 0,
  },
  unreachable: {
    'the second mmap() finds the page at 0 and fails': { 'v7.3': 'who takes a page from the pool stores its count' },
  },
})
