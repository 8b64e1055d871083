// A hole is punched into an ext4 file while a process reads the same page: its fault comes before the hole, in the middle of it, or finds
// the hole. The layout break keeps DMA away; of faults that is the invalidate_lock's business.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_fallocate } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

/** What the reader saw: a hole has no page of its own here, and is a SIGBUS. */
class Reader {
  saw_hole = false
}
const reader = struct(Reader)

export default scenario({
  about: 'a read fault against a hole that is punched into the file (ext4)',
  bounds: '2 threads, 1 page',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    touch() {
      if (user_access(vma, false) === 'sigbus') reader.saw_hole = true
    },
    punch() {
      ext4_fallocate(file, 0)
    },
  },
  always: {
    'nothing maps a block that is free': () => vma.pte.kind !== 'present' || vma.pte.page !== page || file.blocks[0] === page,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null && page.mapping === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0,
  },
  sometimes: {
    'the page is mapped': () => vma.pte.kind === 'present' && vma.pte.page === page,
    'the fault finds the hole': () => reader.saw_hole,
  },
})
