// A large device-private folio is mapped page by page. The CPU wants its second page, which splits the folio, while the driver evicts
// both by their frame numbers.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { drm_pagemap_evict_to_ram, drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { split_anon_huge_pmd } from '../kernel/mm/huge_memory.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram0 = struct(Page)
const ram1 = struct(Page)
const ram2 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', ops: 'drm_pagemap', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'eviction of a large device-private folio that is mapped page by page against a CPU fault on its second page',
  bounds: '2 threads, 2 device pages, 3 ordinary pages, one folio of two pages, one eviction',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  deep: true,
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    give_to_buddy(2, ram2)
    vram.no_large_folios = true
    memremap_pages(pgmap, 2)
    drm_pagemap_init(pgmap)
    drm_pagemap_migrate_to_devmem(pmd, true)
    device0.data = 1
    device1.data = 1
    split_anon_huge_pmd(pmd, false)
  },
  threads: {
    reader() {
      const data = user_load(vma1)
      expect(data === 1, 'the data comes back')
    },
    evict() {
      drm_pagemap_evict_to_ram()
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the second page is in RAM': () => vma1.pte.kind === 'present' && device1._refcount === 0,
    'both pages of the pgmap are accounted for': () => pgmap.ref.percpu_count === device0._refcount + device1._refcount,
  },
  sometimes: {
    'the folio is split': () => device0.order === 0 && device1._refcount > 0,
    'both pages are back, and the video memory is free': () => vram.free,
  },
})
