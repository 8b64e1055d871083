// A driver takes a mapped page of a DAX file by get_user_pages(), fails later, and gives it back by release_pages(), while
// the file is truncated. radeon's user pointers are such a driver; batched puts are rare for pages of files.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { radeon_ttm_tt_pin_userptr, radeon_ttm_tt_pin_userptr_failed } from '../kernel/drivers/gpu/drm/radeon/radeon_ttm.ts'
import { ext4_setattr } from '../kernel/fs/ext4/inode.ts'
import { DmaTransfer, dma_map_page, dma_unmap_page } from '../kernel/include/linux/dma-mapping.ts'
import { AddressSpace } from '../kernel/include/linux/fs.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { bit_wait_table } from '../kernel/include/linux/wait_bit.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'

const page = struct(Page)
const pgmap = struct(DevPagemap, { type: 'fsdax', pages: [page, null] })
const mm = struct(Mm)
const file: AddressSpace = struct(AddressSpace, { kind: 'ext4', blocks: [page, null], i_size: 1 })
const vma: Vma = struct(Vma, { mm, file, index: 0 })
const transfer = struct(DmaTransfer)

export default scenario({
  about: 'a driver gives a page of a DAX file back by release_pages() while the file is truncated (ext4)',
  bounds: '2 threads, 1 page',
  shows: ['release-pages-bypass', 'generic-413'],
  setup() {
    memremap_pages(pgmap, 1)
    file.i_mmap[0] = vma
    user_access(vma, true)
  },
  threads: {
    dma() {
      const got = radeon_ttm_tt_pin_userptr(vma)
      if (got !== null) {
        dma_map_page(transfer, got)
        dma_unmap_page(transfer)
        radeon_ttm_tt_pin_userptr_failed(got)
      }
    },
    truncate() {
      ext4_setattr(file)
    },
  },
  sometimes: {
    'truncate waits while the driver has the page': () => bit_wait_table.waiting[1] === page && transfer.target === page,
  },
  unreachable: {
    'truncate waits while the driver has the page': { 'v5.15+seed': 'no page can be taken: mapped pages rest at 0 (generic-413)' },
  },
  always: {
    'the driver has blocks of the file only': () => transfer.target === null || file.blocks[0] === transfer.target,
  },
  finally: {
    'the block is free': () => file.blocks[0] === null,
    'nobody holds the page': () => page._refcount === page.held.base && page._mapcount === 0 && page.mapping === null,
  },
})
