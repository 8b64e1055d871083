// A page of a DAX file is pinned while another thread unmaps it.

import { user_access } from 'putpage/kernel/arch/x86/mm/fault.ts'
import { AddressSpace } from 'putpage/kernel/include/linux/fs.ts'
import { DevPagemap } from 'putpage/kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from 'putpage/kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from 'putpage/kernel/mm/gup.ts'
import { memremap_pages } from 'putpage/kernel/mm/memremap.ts'
import { munmap } from 'putpage/kernel/mm/mmap.ts'
import { scenario, struct } from 'putpage/model'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'pin_user_pages_fast() against munmap() of a DAX page',
  bounds: '2 threads, 1 page, one pin',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    pin() {
      const got = pin_user_pages_fast(vma)
      if (got !== null) unpin_user_page(got)
    },
    unmap() {
      munmap(vma)
    },
  },
  always: {
    'a mapped page belongs to its file': () => vma.pte.kind !== 'present' || page.mapping === file,
  },
  finally: {
    'nothing maps the page': () => vma.pte.kind === 'none' && page._mapcount === 0,
    'only the base reference is left': () => page._refcount === page.held.base,
  },
  sometimes: {
    'the page is pinned and no longer mapped': () => page.held.pin > 0 && vma.pte.kind === 'none',
  },
  unreachable: {
    'the page is pinned and no longer mapped': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0' },
  },
})
