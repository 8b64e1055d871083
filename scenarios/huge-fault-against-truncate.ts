// A first touch of a mapping that takes a PMD entry, and the truncation of its file. XFS_MMAPLOCK keeps them apart: without it
// the fault inserts an entry for blocks that are free by then.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page1 = struct(Page)
const page0: Page = struct(Page, { next_page: page1 })
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page0, page1] })
const mm = struct(Mm)
const pmd = struct(Pmd)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page0, page1], huge: true })
const vma0: Vma = struct(Vma, { mm, file, pmd, index: 0 })
const vma1: Vma = struct(Vma, { mm, file, pmd, index: 1 })

export default scenario({
  about: 'a first touch that takes a PMD entry against truncate (xfs)',
  bounds: '2 threads, 2 pages',
  setup() {
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
  },
  threads: {
    touch() {
      user_access(vma0, true)
    },
    truncate() {
      xfs_vn_setattr(file)
    },
  },
  sometimes: {
    'the pages are mapped': () => pmd.entry.kind === 'present',
    'the fault comes too late': () => pmd.entry.kind !== 'present' && file.blocks[0] === null,
  },
  always: {
    'nothing maps a block that is free': () => pmd.entry.kind !== 'present' || file.blocks[0] === page0,
  },
  finally: {
    'the blocks are free': () => file.blocks[0] === null && file.blocks[1] === null && page0.mapping === null && page1.mapping === null,
    'nobody holds the pages': () => page0._refcount === page0.held.base && page1._refcount === page1.held.base,
    'nobody maps the pages': () => page0._mapcount === 0 && page1._mapcount === 0,
  },
})
