// A debugger writes into a mapping of a DAX file that is truncated: it holds the page while it copies. Where that reference is
// given back with folio_put() truncate, which found the page in use, is told by nobody.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { access_remote_vm } from '../kernel/mm/memory-access.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'ptrace or /proc/pid/mem writing into a mapping of a DAX file against its truncation (ext4)',
  bounds: '2 threads, 1 page, one access',
  shows: ['lost-wake-folio-put'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    ptrace() {
      access_remote_vm(vma, true)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits for the access': () => bit_wait_table.waiting[1] === page && page.held.gup > 0,
  },
  unreachable: {
    'truncate waits for the access': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the page that is held is a block of the file': () => page.held.gup === 0 || file.blocks[0] === page,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
