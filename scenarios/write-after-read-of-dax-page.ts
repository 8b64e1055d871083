// Two threads of a process touch the same page of a DAX file, one to read and one to write: the write meets an entry that may not be
// written, and makes it writable; no count moves.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { change } from '../kernel/switches.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'fuse', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a read and a write fault on the same page of a DAX file, through one mapping (fuse)',
  bounds: '2 threads, 1 page, 1 mapping',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    reader() {
      user_access(vma, false)
    },
    writer() {
      user_access(vma, true)
    },
  },
  sometimes: {
    'the page can only be read': () => vma.pte.kind === 'present' && !vma.pte.write,
  },
  finally: {
    'the page can be written': () => vma.pte.kind === 'present' && vma.pte.write,
    'the mapping counts once, where mappings count': () =>
      page._refcount === page.held.base + (change.fsdax_mapping_counts ? 1 : 0) && page._mapcount === (change.fsdax_mapping_counts ? 1 : 0),
    'the entry is not locked': () => !file.entries[0].locked,
  },
})
