// A memory error in a block that two xfs files share, told to xfs, while a process reads one of the files through a mapping: the handler has
// the allocation group locked and wants the entry of the file; the fault has the entry locked and asks the allocation group whether the
// block is shared.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { xfs_mount } from '../kernel/fs/xfs/xfs_mount.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'memory_failure() of a block that xfs files share against a read fault there',
  bounds: '2 threads, 1 page, 2 files, one mapping',
  // XFS has reflink and DAX together since v6.0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    xfs_mount.rmapbt = true
    xfs_mount.files[0] = file
    xfs_mount.files[1] = other
    dax_dev.holder = 'xfs'
    memremap_pages(pgmap, 1)
    other.reflink = file
    file.i_mmap[0] = vma
  },
  threads: {
    mce() {
      memory_failure(page)
    },
    process() {
      user_access(vma, false)
    },
  },
  sometimes: {
    'the handler has the allocation group while the fault has the entry': () => xfs_mount.agf.owner !== null && file.entries[0].locked,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(page) === 0,
    'the handler gave the pgmap back': () => pgmap.ref.percpu_count === 1,
  },
})
