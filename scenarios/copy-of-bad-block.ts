// A block that two files share cannot be read any more. A write to a mapping wants to copy it, and fails: the block for the copy is free
// again, and goes to a third file.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { free_blocks } from '../kernel/fs/iomap/iter.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const copy = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, copy] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const third: AddressSpace = struct(AddressSpace, { kind: 'xfs', i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const vma_third: Vma = struct(Vma, { mm, file: third, index: 0 })

export default scenario({
  about: 'a write to a shared block that cannot be copied; then a third file gets the block of the copy (xfs)',
  bounds: '1 thread, 2 pages, 3 files',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    memremap_pages(pgmap, 2)
    other.reflink = file
    free_blocks.block = copy
    file.i_mmap[0] = vma
    third.i_mmap[0] = vma_third
    dax_dev.bad_block = page
  },
  threads: {
    process() {
      user_access(vma, true)
      user_access(vma_third, true)
    },
  },
  sometimes: {
    'the third file gets the block': () => third.blocks[0] === copy,
  },
  finally: {
    'no file has the entry of a block that is not its own': () => file.entries[0].page !== copy,
    'the block belongs to the third file': () => copy.mapping === third,
  },
})
