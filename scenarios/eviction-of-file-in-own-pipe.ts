// A process puts a page of an unlinked DAX file into a pipe of its own, unmaps and closes the file, and would close the pipe next. Who
// evicts the file is the one that holds its page.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_evict_inode } from '../kernel/fs/ext4/inode.ts'
import { generic_pipe_buf_release, vmsplice_to_pipe } from '../kernel/fs/splice.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a process closes an unlinked DAX file of which it has a page in its own pipe (ext4)',
  bounds: '1 thread, 1 page',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    process() {
      const got = vmsplice_to_pipe(vma)
      munmap(vma)
      ext4_evict_inode(file)
      if (got !== null) generic_pipe_buf_release(got)
    },
  },
  sometimes: {
    'the file is not mapped while the page is in the pipe': () => !vma.linked && page.held.gup > 0,
  },
  unreachable: {
    'the file is not mapped while the page is in the pipe': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the pipe is read into blocks of the file only': () => page.held.gup === 0 || file.blocks[0] === page,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
