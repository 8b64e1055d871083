// A driver evicts a large device-private folio by its frame numbers while the process gives the memory up (MADV_DONTNEED). What was
// given up must be gone when both are through.
import { scenario, struct } from 'putpage/model'
import { drm_pagemap_evict_to_ram, drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram, zdd } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { madvise_dontneed_pmd } from '../kernel/mm/madvise.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram1 = struct(Page)
const ram0 = struct(Page, { next_page: ram1 })
const pgmap = struct(DevPagemap, { type: 'private', ops: 'drm_pagemap', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'eviction of a large device-private folio against MADV_DONTNEED of it all',
  bounds: '2 threads, 2 device pages, 2 ordinary pages, folios of two pages, one eviction',
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
  },
  threads: {
    evict() {
      drm_pagemap_evict_to_ram()
    },
    dontneed() {
      madvise_dontneed_pmd(pmd)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the driver has its memory back': () => vram.free && zdd.refcount === 0 && pgmap.ref.percpu_count === 0,
    'memory that was given up is gone': () => pmd.entry.kind === 'none' && ram0._mapcount === 0 && vma0.pte.kind === 'none' && vma1.pte.kind === 'none',
  },
  sometimes: {
    'the range is given up while the eviction has the folio': () => pmd.entry.kind === 'none' && device0.held.migrate > 0,
    'the folio comes back, and is given up then': () => pmd.entry.kind === 'none' && device0._refcount === 0 && ram0.held.alloc > 0,
  },
})
