// A page of a device-dax instance is pinned for long, as RDMA does, while the mapping goes and another process maps the page
// anew. In the end only what the page rests with is left.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, pin_user_pages_fast_longterm, put_user_page, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'generic', pages: [page, null] })
const mm = struct(Mm)
const other_mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'dev_dax', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const other: Vma = struct(Vma, { mm: other_mm, file, index: 0 })

export default scenario({
  about: 'a long-term pin and a reference of a device-dax page against munmap() and another mapping',
  bounds: '2 threads, 1 page, 2 processes, one pin, one reference',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    file.i_mmap[1] = other
    user_access(vma, true)
  },
  threads: {
    dma() {
      const got = pin_user_pages_fast_longterm(vma)
      if (got !== null) unpin_user_page(got)
      const read = get_user_pages_fast(vma)
      if (read !== null) put_user_page(read)
    },
    map() {
      munmap(vma)
      user_access(other, true)
      munmap(other)
    },
  },
  always: {
    'the page never comes to 0': () => page.held.base === 0 || page._refcount > 0,
  },
  finally: {
    'only the base reference is left': () => page._refcount === page.held.base && page._mapcount === 0,
    'the pgmap has no reference but those of its pages': () => pgmap.ref.percpu_count === 1,
  },
  sometimes: {
    'the pin outlives the mapping': () => page.held.pin > 0 && vma.pte.kind === 'none',
    'the page is pinned and mapped elsewhere': () => page.held.pin > 0 && other.pte.kind === 'present',
  },
  unreachable: {
    'the pin outlives the mapping': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
    'the page is pinned and mapped elsewhere': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
})
