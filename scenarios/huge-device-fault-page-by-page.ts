// The CPU wants a page of a large device-private folio, and RAM has no folio as large, only single pages, which are enough: the folio
// has to be split after it was unmapped. Nobody else is there.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { down_read, up_read } from '../kernel/include/linux/rwsem.ts'
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
  about: 'a CPU fault on a large device-private folio that can only come back page by page',
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
    vram.no_large_folios = true
    memremap_pages(pgmap, 2)
    drm_pagemap_init(pgmap)
    drm_pagemap_migrate_to_devmem(pmd, true)
    device0.data = 1
    device1.data = 1
  },
  threads: {
    reader() {
      down_read(mm.mmap_lock)
      handle_mm_fault(vma1, false)
      up_read(mm.mmap_lock)
      expect(vma1.pte.kind === 'present', 'a fault that has got its pages, and is alone, brings the page back')
      const data = user_load(vma1)
      expect(data === 1, 'the data comes back')
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'both pages are in RAM, and the video memory is free': () => vma0.pte.kind === 'present' && vma1.pte.kind === 'present' && vram.free,
  },
  sometimes: {
    'the entry becomes entries of single pages': () => vma0.pte.kind === 'migration' && vma1.pte.kind === 'migration',
    'the video memory is free': () => vram.free,
  },
})
