// A file is reflinked whose page is mapped, and then the other file is touched at the same block. The mappings go before the block is
// shared; up to v6.12 the entry stays in the file, as that of its only owner.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { xfs_file_remap_range } from '../kernel/fs/xfs/xfs_reflink.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const mm2 = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_other: Vma = struct(Vma, { mm: mm2, file: other, index: 0 })

export default scenario({
  about: 'a file is reflinked that is mapped, and both files are truncated (xfs)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
    user_access(vma, false)
  },
  threads: {
    reflink() {
      xfs_file_remap_range(file, other, 0)
      user_access(vma_other, false)
      xfs_vn_setattr(other)
    },
    truncate() {
      xfs_vn_setattr(file)
    },
  },
  sometimes: {
    'the other file maps the page, and the file still has it': () => vma_other.pte.kind === 'present' && file.blocks[0] === page,
    'the file is truncated first': () => vma.pte.kind === 'none' && file.blocks[0] === null && other.blocks[0] === null,
  },
  always: {
    'a page in a file is known as its own, or as shared': () => {
      if (file.i_pages_lock.owner !== null || other.i_pages_lock.owner !== null) return true
      const shared = page.dax_shared || page.share > 0
      if (file.entries[0].kind === 'pfn' && !file.entries[0].locked && page.mapping !== file && !shared) return false
      return other.entries[0].kind !== 'pfn' || other.entries[0].locked || page.mapping === other || shared
    },
  },
  finally: {
    'the page belongs to no file': () => page.mapping === null && !page.dax_shared && page.share === 0,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0,
  },
})
