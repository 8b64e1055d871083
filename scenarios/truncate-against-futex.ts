// A futex lies in a mapping of a DAX file that is truncated: the look-up of its key holds the page for a moment. It gives it
// back with folio_put() where it goes by folios, and truncate, which found the page in use, is told by nobody.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { get_futex_key } from '../kernel/kernel/futex/core.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })

export default scenario({
  about: 'FUTEX_WAIT on a word in a mapping of a DAX file against its truncation (ext4)',
  bounds: '2 threads, 1 page, one look-up of the key',
  shows: ['lost-wake-folio-put'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    futex() {
      get_futex_key(vma)
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits for the look-up': () => bit_wait_table.waiting[1] === page && page.held.gup > 0,
  },
  unreachable: {
    'truncate waits for the look-up': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the page that is held is a block of the file': () => page.held.gup === 0 || file.blocks[0] === page,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
