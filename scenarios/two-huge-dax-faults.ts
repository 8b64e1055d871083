// Two processes map the same range of a DAX file by PMD entries. Both read it first, and one writes to it then: one entry of the file,
// locked by who comes first, and two entries in page tables, of which one becomes writable.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm1 = struct(Mm)
const mm2 = struct(Mm)
const pmd1 = struct(Pmd)
const pmd2 = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1], huge: true })
const vma10: Vma = struct(Vma, { mm: mm1, file, pmd: pmd1, index: 0 })
const vma11: Vma = struct(Vma, { mm: mm1, file, pmd: pmd1, index: 1 })
const vma20: Vma = struct(Vma, { mm: mm2, file, pmd: pmd2, index: 0 })
const vma21: Vma = struct(Vma, { mm: mm2, file, pmd: pmd2, index: 1 })

export default scenario({
  about: 'two processes map a range of a DAX file by PMD entries, and one writes to it (xfs)',
  bounds: '2 threads, 2 pages, 2 mappings',
  setup() {
    memremap_pages(pgmap, 2)
    pmd1.vmas[0] = vma10
    pmd1.vmas[1] = vma11
    pmd2.vmas[0] = vma20
    pmd2.vmas[1] = vma21
    file.i_mmap[0] = vma10
    file.i_mmap[1] = vma11
    file.i_mmap[2] = vma20
    file.i_mmap[3] = vma21
  },
  threads: {
    writer() {
      user_access(vma10, false)
      user_access(vma11, true)
    },
    reader() {
      user_access(vma20, false)
    },
  },
  sometimes: {
    'a fault found the entry locked and slept': () => file.entry_queue[0].waiting[0] === 'exclusive' || file.entry_queue[0].waiting[1] === 'exclusive',
    'an entry that could be read only becomes writable': () => pmd1.entry.kind === 'present' && pmd1.entry.write && vma10.pte.kind === 'none',
  },
  finally: {
    'both map the pages by one entry': () => pmd1.entry.page === page0 && pmd2.entry.page === page0 && pmd1.entry.write && !pmd2.entry.write,
    'each reference belongs to an entry or to the page at rest': () =>
      page0._refcount === page0.held.base + page0.held.pte && page0._mapcount === page0.held.pte && page1.held.pte === 0,
    'nothing is left locked': () => !file.entries[0].locked,
  },
})
