// Two threads call fsync() after a page of a DAX file was written through a mapping. What was written must be out of the CPU's caches when either
// returns.
import { expect, identical, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_writeback_one } from '../kernel/fs/dax-writeback.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'two fsync() of a page that was written through a mapping',
  bounds: '2 threads, 1 page, one write before',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
    file.flushed[0] = false
  },
  threads: {
    fsync: identical(2, () => {
      dax_writeback_one(file, 0)
      expect(file.flushed[0], 'what was written before an fsync() is durable when it returns')
    }),
  },
  finally: {
    'the entry is not locked': () => !file.entries[0].locked,
  },
  sometimes: {
    'an fsync flushes': () => file.entries[0].locked && !file.flushed[0],
  },
})
