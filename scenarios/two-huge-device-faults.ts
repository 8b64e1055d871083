// Two CPUs want the two pages of a large device-private folio. Who gets the folio's lock migrates all of it; the other tries again.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { drm_pagemap_init, drm_pagemap_migrate_to_devmem, vram, zdd } from '../kernel/drivers/gpu/drm/drm_pagemap.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { memremap_pages } from '../kernel/mm/memremap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const ram1 = struct(Page)
const ram0 = struct(Page, { next_page: ram1 })
// For a fault that takes the entry for none while it is collected, and gives its page back.
const spare = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', ops: 'drm_pagemap', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'two CPU faults on one large device-private folio',
  bounds: '2 threads, 2 device pages, 3 ordinary pages, folios of two pages',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, spare)
    give_to_buddy(1, ram0)
    give_to_buddy(2, ram1)
    memremap_pages(pgmap, 2)
    drm_pagemap_init(pgmap)
    drm_pagemap_migrate_to_devmem(pmd, true)
    device0.data = 1
    device1.data = 1
  },
  threads: {
    reader() {
      const data = user_load(vma1)
      expect(data === 1, 'the data comes back')
    },
    other() {
      const data = user_load(vma0)
      expect(data === 1, 'the data comes back')
    },
  },
  finally: {
    'no reference is left behind': () =>
      held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) + spare._refcount === 0,
    'the driver has its memory back': () => vram.free && zdd.refcount === 0 && pgmap.ref.percpu_count === 0,
    'the folio came back whole, once': () => pmd.entry.kind === 'present' && ram0._refcount === 1 && ram0._mapcount === 1,
  },
  sometimes: {
    'both CPUs are at it': () => device0.held.fault > 0 && mm.mmap_lock.readers[0] && mm.mmap_lock.readers[1],
    'the folio comes back whole': () => pmd.entry.kind === 'present',
  },
})
