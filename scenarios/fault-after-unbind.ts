// The memory under a mounted file system is unbound, and then a process touches a file of it that it has not touched before. The
// device page is gone; nobody may put it into a page table.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { pmem_unbind } from '../kernel/drivers/nvdimm/pmem.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap, pgmap_array } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memory_failure } from '../kernel/mm/memory-failure.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a fault on a page whose memory was unbound, and a memory error reported there',
  bounds: '1 thread, 1 page',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    process() {
      pmem_unbind(pgmap, 1)
      const result = user_access(vma, true)
      expect(result === 'sigbus', 'the process gets SIGBUS')
      const recovered = memory_failure(page)
      expect(!recovered, 'the error is outside of what the kernel controls')
    },
  },
  sometimes: { 'the pgmap is gone': () => pgmap_array.entry === null },
  finally: { 'nothing maps the page': () => vma.pte.kind === 'none' },
})
