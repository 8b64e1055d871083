// Video memory is evicted, and RAM has no folio as large as the one that is there: single pages are got for it and filled, and then nothing
// is migrated. Nobody else is there.
import { scenario, struct } from 'putpage/model'
import { drm_pagemap_evict_to_ram, drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
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
  about: 'eviction of a large device-private folio where RAM has only single pages (drm_pagemap)',
  bounds: '1 thread, 2 device pages, 2 ordinary pages, one folio of two pages, one eviction',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    vram.no_large_folios = true
    memremap_pages(pgmap, 2)
    drm_pagemap_init(pgmap)
    drm_pagemap_migrate_to_devmem(pmd, true)
    device0.data = 1
    device1.data = 1
  },
  threads: {
    ttm() {
      drm_pagemap_evict_to_ram()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'an eviction that is alone, and has got its pages, frees the video memory': () => vram.free,
  },
  sometimes: {
    'single pages are there for it': () => device0.held.migrate > 0 && !ram0.buddy && !ram1.buddy,
  },
})
