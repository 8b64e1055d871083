// Two pages of a DAX file are mapped by a PMD entry and truncated; the second of them becomes the block of another file, is
// mapped, read by a device, and truncated with it. A page that was part of a folio must be a whole one again.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { get_user_pages_fast, put_user_page } from '../kernel/mm/gup.ts'
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
const other: AddressSpace = struct(AddressSpace, { kind: 'ext4', i_size: 1 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'a page that a PMD entry mapped becomes a single page of another file (ext4)',
  bounds: '2 threads, 2 pages, 2 files',
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    other.i_mmap[0] = vma_other
    user_access(vma0, true)
  },
  threads: {
    truncate() {
      ext4_setattr(file)
      user_access(vma_other, true)
      ext4_setattr(other)
    },
    direct_io() {
      const got = get_user_pages_fast(vma_other)
      if (got !== null) put_user_page(got)
    },
  },
  sometimes: {
    'the page is of the other file, and mapped': () => other.blocks[0] === page1 && vma_other.pte.kind === 'present',
    'the page is held through the other file': () => page1.held.gup > 0,
  },
  unreachable: {
    'the page is held through the other file': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'a page with a count of its own is no tail': () => page1.compound_head === null || page1._refcount <= 0,
  },
  finally: {
    'the pages are single ones of nobody, with their pgmap': () =>
      page0.order === 0 && page1.compound_head === null && page1.pgmap === pgmap && page0.mapping === null && page1.mapping === null,
    'both are at rest': () => page0._refcount === page1._refcount && page0._mapcount === 0 && page1._mapcount === 0,
  },
})
