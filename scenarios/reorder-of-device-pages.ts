// Video memory is used for a large device-private folio, freed, and used again for single pages, of which one is then freed and the
// other comes back to the CPU. What the pages were in their last life must not be seen in the next: who is whose head, how large
// the folio is, and how many references of the pgmap go with it.

import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram, zdd } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { madvise_dontneed, madvise_dontneed_pmd } from '../kernel/mm/madvise.ts'
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
  about: 'device pages that were a large folio are used again one by one',
  bounds: '1 thread, 2 device pages, 2 ordinary pages, one folio of two pages',
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
    madvise_dontneed_pmd(pmd)
  },
  threads: {
    process() {
      drm_pagemap_migrate_to_devmem(pmd, false)
      device1.data = 1
      madvise_dontneed(vma0)
      const data = user_load(vma1)
      expect(data === 1, 'the data of the second page comes back')
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the driver has its memory back': () => vram.free && zdd.refcount === 0,
    'no page holds the pgmap any more': () => pgmap.ref.percpu_count === 0,
  },
  sometimes: {
    'both pages are in use, each by itself': () => vma0.pte.kind === 'device_private' && vma1.pte.kind === 'device_private',
    'the first is free, the second in use': () => device0._refcount === 0 && device1._refcount === 1 && vma0.pte.kind === 'none',
  },
})
