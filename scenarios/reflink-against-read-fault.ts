// The source of FICLONERANGE can be read while its blocks are being shared. A read fault may have looked its block up before that, when
// the file was the only one that had it.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
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
  about: 'a file is read through its mapping while it is reflinked, and the copy is read afterwards (xfs)',
  bounds: '2 threads, 1 page, 2 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
    other.i_mmap[0] = vma_other
  },
  threads: {
    reflink() {
      xfs_file_remap_range(file, other, 0)
      user_access(vma_other, false)
    },
    read() {
      user_access(vma, false)
    },
  },
  sometimes: {
    'the file is read before the block is shared': () => vma.pte.kind === 'present' && other.blocks[0] === null,
    'both files map the page': () => vma.pte.kind === 'present' && vma_other.pte.kind === 'present',
  },
  finally: {
    'a page that two files have is known as one of two': () =>
      file.entries[0].kind !== 'pfn' || other.entries[0].kind !== 'pfn' || (page.mapping === null && page.share === 2),
  },
})
