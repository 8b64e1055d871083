// The memory under a mounted xfs is unbound while a process reads a file that shares its block. Since v6.8 xfs is frozen before its
// mappings are taken away, which stops write faults; a read fault goes on, has its entry locked, and asks the allocation group whether the
// block is shared.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev, kill_dax } from '../kernel/drivers/dax/super.ts'
import { xfs_mount } from '../kernel/fs/xfs/xfs_mount.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const other: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1, reflink: other })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'the DAX device under a mounted xfs goes, against a read fault of a block that files share',
  bounds: '2 threads, 1 page, 2 files, one mapping, up to the end of kill_dax()',
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
    unbind() {
      kill_dax()
    },
    process() {
      user_access(vma, false)
    },
  },
  sometimes: {
    'the fault has the entry when xfs is told': () => xfs_mount.agf.owner !== null && file.entries[0].locked,
    'the device is dead': () => !dax_dev.alive,
  },
  finally: {
    'the entry is not locked': () => !file.entries[0].locked,
  },
})
