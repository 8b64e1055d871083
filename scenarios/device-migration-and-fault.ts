// One page goes to the device and comes back, with nobody else about: the counts go as in the kernel's own comments.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const mm = struct(Mm)
const vma = struct(Vma, { mm })

export default scenario({
  about: 'a hole and then a page migrate to the device, and the CPU takes each back',
  bounds: '1 thread, 1 device page, 1 ordinary page',
  setup() {
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
  },
  threads: {
    process() {
      dmirror_migrate_to_device(vma)
      expect(vma.pte.kind === 'device_private', 'a hole migrates to the device')
      const hole = user_load(vma)
      expect(hole === 0, 'the hole is zeroes')
      ram.data = 1
      dmirror_migrate_to_device(vma)
      expect(vma.pte.kind === 'device_private', 'the page migrates to the device')
      const data = user_load(vma)
      expect(data === 1, 'the data went there and came back')
    },
  },
  always: {
    'a device page in a page table is held by it': () => vma.pte.kind !== 'device_private' || vma.pte.page!._refcount >= 1,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram) === 0,
    'the device page is on the free list again': () =>
      mdevice.free_pages === device && device.held.alloc + device.held.pte + device.held.migrate + device.held.fault === 0,
    'the ordinary page is mapped once and held once': () => ram._refcount === 1 && ram._mapcount === 1,
  },
  sometimes: {
    'the device page is mapped and its allocation given back': () => device.held.pte === 1 && device.held.alloc === 0,
    'the fault waits for nothing but the page': () => device.lock.owner !== null && vma.pte.kind === 'migration',
  },
})
