// A memory error in a page of an xfs file, told to xfs, while a process faults for writing at the same place: the block is
// allocated but unwritten, and the fault makes it a written one. The handler has the allocation group locked and wants the entry; the
// fault has the entry locked and wants the allocation group.
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
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], unwritten: [true, false], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'memory_failure() of an unwritten block of an xfs file against a write fault there',
  bounds: '2 threads, 1 page, one mapping',
  setup() {
    xfs_mount.rmapbt = true
    xfs_mount.files[0] = file
    dax_dev.holder = 'xfs'
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    mce() {
      memory_failure(page)
    },
    process() {
      user_access(vma, true)
    },
  },
  sometimes: {
    'the fault has the entry locked': () => file.entries[0].locked,
    'the handler holds the pgmap while the fault is under way': () => pgmap.ref.percpu_count > 1 && file.entries[0].locked,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(page) === 0,
    'the mapping counts, where mappings count': () => page._mapcount === page.held.pte && page.held.pte <= 1,
    'the handler gave the pgmap back': () => pgmap.ref.percpu_count === 1,
  },
})
