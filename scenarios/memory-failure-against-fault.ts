// A memory error in a page of a DAX file, while a process faults it in again and again: the handler takes the mapping away with the
// entry locked, which the fault has to wait for.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const mm2 = struct(Mm)
const vma2: Vma = struct(Vma, { mm: mm2, file, index: 0 })

export default scenario({
  about: 'memory_failure() of a page of a DAX file that two processes map, against a fault of the second (ext4)',
  bounds: '2 threads, 1 page, 2 mappings',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    file.i_mmap[1] = vma2
    user_access(vma, true)
  },
  threads: {
    mce() {
      memory_failure(page)
    },
    process() {
      user_access(vma2, true)
    },
  },
  sometimes: {
    'the fault waits for the handler': () => file.entry_queue[0].waiting[1] !== 'no',
    'the handler waits for the fault': () => file.entry_queue[0].waiting[0] !== 'no',
    'the second mapping is taken away too': () => page.hwpoison && vma2.pte.kind === 'present' && vma.pte.kind === 'none',
  },
  finally: {
    'no reference is left behind': () => held_in_passing(page) === 0,
    'the first mapping is gone': () => vma.pte.kind === 'none',
    'the page is known to be broken': () => page.hwpoison,
    'the second mapping counts, where mappings count': () => page._mapcount === page.held.pte && page.held.pte <= 1,
    'the handler gave the pgmap back': () => pgmap.ref.percpu_count === 1,
  },
})
