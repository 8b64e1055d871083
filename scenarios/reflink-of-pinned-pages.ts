// FICLONERANGE over a range of which a device holds a page of either file. The block that the copy had is free afterwards.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { xfs_file_remap_range } from '../kernel/fs/xfs/xfs_reflink.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { pin_user_pages_fast, unpin_user_page } from '../kernel/mm/gup.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const old = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, old] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [old, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'FICLONERANGE between two files of which a device has a page each (xfs)',
  bounds: '3 threads, 2 pages, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, true)
    user_access(vma_other, true)
  },
  threads: {
    reflink() {
      xfs_file_remap_range(file, other, 0)
    },
    source() {
      const held = pin_user_pages_fast(vma)
      if (held !== null) unpin_user_page(held)
    },
    copy() {
      const held = pin_user_pages_fast(vma_other)
      if (held !== null) unpin_user_page(held)
    },
  },
  sometimes: {
    'the reflink finds both pages pinned': () => page.held.pin > 0 && old.held.pin > 0 && file.iolock.owner !== null,
    'the old block is free': () => free_blocks.block === old,
  },
  always: {
    'a block that a device has is not free': () => free_blocks.block !== old || old.held.pin === 0,
  },
  finally: {
    'each file has a block': () => file.blocks[0] !== null && other.blocks[0] !== null,
  },
})
