// The memory under a mounted xfs is unbound while a process has a page of a file mapped, and reads it. Since v6.8 xfs is told
// before: it is frozen, the mappings are taken away, and it is shut down. A read fault is not stopped by the freeze.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { pmem_unbind } from '../kernel/drivers/nvdimm/pmem.ts'
import { xfs_mount } from '../kernel/fs/xfs/xfs_mount.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'unbinding of the memory under a mounted xfs against a read of a mapped page, and its munmap()',
  bounds: '2 threads, 1 page, one mapping',
  setup() {
    xfs_mount.rmapbt = true
    xfs_mount.files[0] = file
    dax_dev.holder = 'xfs'
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    unbind() {
      pmem_unbind(pgmap, 1)
    },
    process() {
      user_access(vma, false)
      munmap(vma)
    },
  },
  sometimes: {
    'the process faults while the device dies': () => pgmap.ref.mode.dead && mm.mmap_lock.readers[1],
    'the pgmap is gone': () => pgmap_array.entry === null,
  },
  unreachable: {
    'the process faults while the device dies': {
      'v5.10': 'nobody takes the mapping away, so there is no fault',
      'v5.15+seed': 'nobody takes the mapping away, so there is no fault',
    },
  },
  finally: {
    'nothing maps the page': () => vma.pte.kind === 'none',
  },
})
