// The memory under a mounted xfs is unbound while a process writes to a page that a PMD entry maps. Since v6.8 xfs is
// told before: it is frozen, the mappings are taken away, and it is shut down. A write fault waits until the file system thaws.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_dev } from '../kernel/drivers/dax/super.ts'
import { pmem_unbind } from '../kernel/drivers/nvdimm/pmem.ts'
import { xfs_mount } from '../kernel/fs/xfs/xfs_mount.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
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
  about: 'unbinding of the memory under a mounted xfs against a write to pages that a PMD entry maps',
  bounds: '2 threads, 2 pages, one mapping',
  setup() {
    xfs_mount.rmapbt = true
    xfs_mount.files[0] = file
    dax_dev.holder = 'xfs'
    memremap_pages(pgmap, 2)
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    file.i_mmap[0] = vma0
    file.i_mmap[1] = vma1
    user_access(vma0, true)
  },
  threads: {
    unbind() {
      pmem_unbind(pgmap, 2)
    },
    process() {
      user_access(vma0, true)
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
    'nothing maps the pages': () => pmd.entry.kind !== 'present',
  },
})
