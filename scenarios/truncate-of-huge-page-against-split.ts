// A process gives up half of what a PMD entry of a DAX file maps (MADV_DONTNEED), which splits the entry, while the file is truncated:
// both take the entry away, and who comes second finds that it has gone.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { fuse_do_setattr } from '../kernel/fs/fuse/dir.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'fuse', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })

export default scenario({
  about: 'half of what a PMD entry maps is given up, and the other half touched, against truncate (fuse)',
  bounds: '2 threads, 1 PMD entry of 2 pages',
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
  },
  threads: {
    process() {
      user_access(vma0, true)
      madvise_dontneed(vma0)
      user_access(vma1, true)
    },
    truncate() {
      fuse_do_setattr(file)
    },
  },
  sometimes: {
    'a PMD entry maps the pages': () => pmd.entry.kind === 'present',
    'the entry is split': () => pmd.entry.kind === 'none' && page0.mapping === file,
    'the file is truncated': () => file.i_size === 0,
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null,
    'nobody maps the pages': () => pmd.entry.kind !== 'present' && vma1.pte.kind === 'none' && page0._mapcount === 0 && page1._mapcount === 0,
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
    'the pages are single ones of nobody': () => page0.order === 0 && page1.compound_head === null && page0.mapping === null && page1.mapping === null,
  },
})
