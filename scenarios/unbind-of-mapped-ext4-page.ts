// The memory under a mounted ext4 is unbound while a process has a page of a file mapped, which it then unmaps. ext4 asks nobody to
// tell it, so the mapping stays; whether anybody looks at the page when it goes depends on whether it counts.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { pmem_unbind } from '../kernel/drivers/nvdimm/pmem.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'unbinding of the memory under a mounted ext4 against munmap() of a page',
  bounds: '2 threads, 1 page, one mapping',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    unbind() {
      pmem_unbind(pgmap, 1)
    },
    process() {
      munmap(vma)
    },
  },
  sometimes: {
    'the pgmap is gone, and the page still mapped': () => pgmap_array.entry === null && vma.pte.kind === 'present',
  },
  finally: {
    'nothing maps the page': () => vma.pte.kind === 'none',
  },
})
