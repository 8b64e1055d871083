// The blocks of a DAX file do not lie one behind the other: a huge fault leaves its empty entry behind and falls back, and the fault of
// a single page takes the empty entry away, which another huge fault may be waiting for.
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
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page1, page0], huge: true })
const vma10: Vma = struct(Vma, { mm: mm1, file, pmd: pmd1, index: 0 })
const vma11: Vma = struct(Vma, { mm: mm1, file, pmd: pmd1, index: 1 })
const vma20: Vma = struct(Vma, { mm: mm2, file, pmd: pmd2, index: 0 })
const vma21: Vma = struct(Vma, { mm: mm2, file, pmd: pmd2, index: 1 })

export default scenario({
  about: 'two huge faults on blocks that no PMD entry can map, and the faults of single pages they fall back to (ext4)',
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
    one() {
      user_access(vma10, false)
    },
    two() {
      user_access(vma21, true)
    },
  },
  sometimes: {
    'an empty PMD entry stands in the file': () => file.entries[0].kind === 'empty' && file.entries[0].pmd && !file.entries[0].locked,
    'a fault waits for it': () => file.entry_queue[0].waiting[0] === 'exclusive' || file.entry_queue[0].waiting[1] === 'exclusive',
  },
  always: {
    'the entries of the file do not overlap': () => !(file.entries[0].pmd && file.entries[1].kind !== 'none'),
    'no PMD entry maps the pages': () => pmd1.entry.kind !== 'present' && pmd2.entry.kind !== 'present',
  },
  finally: {
    'each maps its page': () => vma10.pte.page === page1 && vma21.pte.page === page0,
    'nothing is left locked': () => !file.entries[0].locked && !file.entries[1].locked,
    'each reference belongs to an entry or to the page at rest': () =>
      page0._refcount === page0.held.base + page0.held.pte && page1._refcount === page1.held.base + page1.held.pte,
  },
})
