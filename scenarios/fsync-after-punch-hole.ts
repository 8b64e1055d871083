// A page of a DAX file is written through a mapping; then a hole is punched somewhere else in the file, and fsync() is called. What was
// written must be out of the CPU's caches.
import { expect, scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { dax_writeback_one } from '../kernel/fs/dax-writeback.ts'
import { ext4_fallocate } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const second = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, second] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, second] })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a hole is punched beside a page that was written through a mapping, then fsync() (ext4)',
  bounds: '1 thread, 2 pages, 1 mapping',
  setup() {
    memremap_pages(pgmap, 2)
    file.i_mmap[0] = vma
  },
  threads: {
    process() {
      user_access(vma, true)
      file.flushed[0] = false
      ext4_fallocate(file, 1)
      dax_writeback_one(file, 0)
      expect(file.flushed[0], 'what was written before an fsync() is durable when it returns')
    },
  },
  sometimes: {
    'what was written is in the caches when the hole is there': () => !file.flushed[0] && file.blocks[1] === null,
  },
  finally: {
    'the page is a block of the file': () => file.blocks[0] === page,
  },
})
