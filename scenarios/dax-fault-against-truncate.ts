// A first touch of a page and the truncation of its file, and munmap() at the same time as both.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { munmap } from '../kernel/mm/mmap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'a page fault and munmap() against truncate (ext4)',
  bounds: '3 threads, 1 page',
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
  },
  threads: {
    touch() {
      user_access(vma, true)
    },
    unmap() {
      munmap(vma)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'the page is mapped': () => vma.pte.kind === 'present',
    'the fault comes too late': () => vma.pte.kind === 'none' && vma.linked && file.i_size === 0,
  },
  always: {
    'nothing maps a block that is free': () => vma.pte.kind === 'none' || file.blocks[0] === page,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null && page.mapping === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0,
  },
})
