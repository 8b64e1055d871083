// xfstests generic/413: a mapping of a DAX file is the buffer of a read or write of another file. The kernel takes the
// page by get_user_pages(); with free pages at 0 and mappings that do not count, it takes a page at 0.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null] })
const mm = struct(Mm)
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'read() into a mapping of a DAX file: get_user_pages() of a mapped fsdax page',
  bounds: '1 thread, 1 page, one mapping',
  shows: ['generic-413'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    // The program touches its mapping, then reads another file into it.
    program() {
      user_access(vma, true)
      const got = get_user_pages_fast(vma, true)
      if (got !== null) put_user_page(got)
    },
  },
  sometimes: { 'the page has a reference of GUP': () => page.held.gup > 0 },
  unreachable: { 'the page has a reference of GUP': { 'v5.15+seed': 'mapped pages rest at 0, which GUP refuses: the bug itself' } },
})
