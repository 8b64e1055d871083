// A driver evicts a device page by its frame number while a CPU fault wants it back: one of them migrates it, or neither,
// and the fault tries again.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_device_evict_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'eviction of a device-private page against a CPU fault on it',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one eviction',
  // Drivers evict since v6.1: 249881232e14, ad4c365221b0.
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    ram0.data = 1
    dmirror_migrate_to_device(vma)
  },
  threads: {
    reader() {
      const data = user_load(vma)
      expect(data === 1, 'the data comes back')
    },
    evict() {
      dmirror_device_evict_chunk(pgmap)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => mdevice.free_pages === device && pgmap.ref.percpu_count === 0,
    'the page came back once': () => vma.pte.kind === 'present' && vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
  },
  sometimes: {
    'eviction and fault both hold the page': () => device.held.migrate > 0 && device.held.fault > 0,
    'eviction brings the page back': () => device.held.fault === 0 && device.held.migrate > 0 && vma.pte.kind === 'present',
  },
})
