// Two processes touch the same range of a DAX file for the first time: one may map it by a PMD entry, the other, whose mapping
// is not aligned, by single pages. Who comes first decides what entry the file has.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })
const single: Vma = struct(Vma, { mm: mm2, file, index: 1 })

export default scenario({
  about: 'a huge fault and a fault of a single page in the same range of a DAX file (ext4)',
  bounds: '2 threads, 2 pages, 2 mappings',
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    file.i_mmap[2] = single
  },
  threads: {
    huge() {
      user_access(vma0, true)
    },
    single() {
      user_access(single, true)
    },
  },
  sometimes: {
    'a PMD entry and a single one map the second page': () => pmd.entry.kind === 'present' && single.pte.kind === 'present',
    'the huge fault falls back to single pages': () => vma0.pte.kind === 'present',
  },
  always: {
    'the entries of the file do not overlap': () => !(file.entries[0].pmd && file.entries[1].kind !== 'none'),
  },
  finally: {
    'the first page is mapped': () => (pmd.entry.kind === 'present' && pmd.entry.page === page0) || (vma0.pte.kind === 'present' && vma0.pte.page === page0),
    'the second page is mapped': () => single.pte.kind === 'present' && single.pte.page === page1,
    'nothing is left locked': () => !file.entries[0].locked && !file.entries[1].locked,
    'each reference belongs to an entry or to the page at rest': () =>
      page0._refcount === page0.held.base + page0.held.pte && page1._refcount === page1.held.base + page1.held.pte,
  },
})
