// A device-dax instance maps its memory by PMD entries. A device has the second page of one pinned for long; another thread
// reads the first, and the mapping goes. Where the pages are compound all of it is counted in the head.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dev_dax_probe } from '../kernel/drivers/dax/device.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, pin_user_pages_fast_longterm, put_user_page, unpin_user_page } from '../kernel/mm/gup.ts'
import { zap_pmd_range } from '../kernel/mm/huge_memory-pmd.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'generic', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'dev_dax', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })

export default scenario({
  about: 'a long-term pin and a reference of pages that a PMD entry of a device-dax mapping maps, against its zap',
  bounds: '2 threads, 1 PMD entry of 2 pages, one pin, one reference',
  setup() {
    dev_dax_probe(file, pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, true)
  },
  threads: {
    dma() {
      const got = pin_user_pages_fast_longterm(vma1)
      if (got !== null) unpin_user_page(got)
    },
    read() {
      const got = get_user_pages_fast(vma0)
      if (got !== null) put_user_page(got)
      zap_pmd_range(pmd)
    },
  },
  finally: {
    'nobody but an entry holds the pages': () => page0._refcount === page0.held.base + page0.held.pte && page1._refcount === page1.held.base,
    'no pin is counted any more': () => page0._pincount === 0 && page1._pincount === 0,
    'the pgmap has no reference but those of its pages': () => pgmap.ref.percpu_count === (pgmap.vmemmap_shift === 1 ? 1 : 2),
  },
  always: {
    'the tail of a compound page is not counted': () => page0.order === 0 || page1._refcount === 0,
  },
  sometimes: {
    'both pages are held': () => page0.held.gup + page0.held.pin + page1.held.gup + page1.held.pin > 1,
    'a page is held and no longer mapped': () => page0.held.gup + page0.held.pin + page1.held.gup + page1.held.pin > 0 && pmd.entry.kind === 'none',
  },
  unreachable: {
    'both pages are held': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
    'a page is held and no longer mapped': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
})
