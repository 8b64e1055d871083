// A driver asks for a long-term pin of a page of a DAX file while the file is truncated. A file on DAX can only be truncated if nobody
// pins its pages for long: the pin is refused, before a page is taken or after.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast_longterm } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

/** What the driver was told. */
class Answer {
  given = false
  refused = false
}
const answer = struct(Answer)

export default scenario({
  about: 'a long-term pin of a page of a DAX file against truncate (ext4)',
  bounds: '2 threads, 1 page, one pin',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    driver() {
      const got = pin_user_pages_fast_longterm(vma)
      answer.refused = got === null
      answer.given = got !== null
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'the pin is refused': () => answer.refused,
  },
  always: {
    'no page of a DAX file is pinned for long': () => !answer.given,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
    'the pgmap has back what was taken of it': () => pgmap.ref.percpu_count === 1,
  },
})
