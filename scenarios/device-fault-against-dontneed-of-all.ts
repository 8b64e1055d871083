// Of a large device-private folio only the second page is still mapped, and the CPU wants it. The driver migrates the whole range; the
// walk has passed the first entry, and drops the lock of the page table to split the folio. Another thread gives the whole range up
// (MADV_DONTNEED), and with it the page table.
import { scenario, struct } from 'putpage/model'
import { drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram, zdd } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { down_read, up_read } from '../kernel/include/linux/rwsem.ts'
import { madvise_dontneed, madvise_dontneed_pmd } from '../kernel/mm/madvise.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', ops: 'drm_pagemap', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'a CPU fault whose migration splits a large device-private folio against MADV_DONTNEED of the whole range',
  bounds: '2 threads, 2 device pages, 2 ordinary pages, one folio of two pages, one page table',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    memremap_pages(pgmap, 2)
    drm_pagemap_init(pgmap)
    drm_pagemap_migrate_to_devmem(pmd, true)
    madvise_dontneed(vma0)
  },
  threads: {
    fault() {
      down_read(mm.mmap_lock)
      handle_mm_fault(vma1, false)
      up_read(mm.mmap_lock)
    },
    dontneed() {
      madvise_dontneed_pmd(pmd)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the driver has its memory back, or it is still mapped': () => vma1.pte.kind !== 'none' || (vram.free && zdd.refcount === 0),
  },
  sometimes: {
    'the folio is split': () => device0.order === 0 && device1._refcount > 0,
    'the page table is gone while the fault migrates': () => pmd.entry.kind === 'none' && device1.held.fault > 0,
  },
})
