// A mapping of a DAX file is the buffer of a direct I/O while the file is truncated: the bio gives the page back.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { bio_iov_iter_get_pages, bio_release_pages } from '../kernel/block/bio.ts'
import { xfs_vn_setattr } from '../kernel/fs/xfs/xfs_iops.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'xfs', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'direct I/O into a mapping of a DAX file against its truncation (xfs)',
  bounds: '2 threads, 1 page',
  shows: ['lost-wake-folio-put', 'generic-413'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    dma() {
      const got = bio_iov_iter_get_pages(vma)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        bio_release_pages(got)
      }
    },
    truncate() {
      xfs_vn_setattr(file)
    },
  },
  sometimes: {
    'truncate waits while the device writes': () => bit_wait_table.waiting[1] === page && transfer.target === page,
  },
  unreachable: {
    'truncate waits while the device writes': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the device writes into blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
