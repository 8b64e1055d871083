// Two threads touch the same page of a DAX file through two mappings, for the first time: the entry's lock bit decides
// who puts the page into the file, and the other finds it there.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { change } from '../kernel/switches.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm1 = struct(Mm)
const mm2 = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma1: Vma = struct(Vma, { mm: mm1, file, index: 0 })
const vma2: Vma = struct(Vma, { mm: mm2, file, index: 0 })

export default scenario({
  about: 'two threads fault on the same page of a DAX file, through mappings of two processes',
  bounds: '2 threads, 1 page, 2 mappings',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma1
    file.i_mmap[1] = vma2
  },
  threads: {
    reader() {
      user_access(vma1, false)
    },
    writer() {
      user_access(vma2, true)
    },
  },
  sometimes: {
    'a fault found the entry locked and slept': () => file.entry_queue[0].waiting[0] !== 'no' || file.entry_queue[0].waiting[1] !== 'no',
  },
  finally: {
    'both map the page': () => vma1.pte.kind === 'present' && vma2.pte.kind === 'present',
    'the page belongs to the file': () => page.mapping === file,
    'the count is what the mappings add to a free page': () =>
      page._refcount === page.held.base + (change.fsdax_mapping_counts ? 2 : 0) && page._mapcount === (change.fsdax_mapping_counts ? 2 : 0),
    'the entry is not locked': () => !file.entries[0].locked,
  },
})
