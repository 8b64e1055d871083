// A driver evicts its pages by frame number while one of them is being allocated: the page's count is 1, but its owner has
// not locked it yet, and stores zone_device_data only after that. In lib/test_hmm.c
// the two meet when one user of the device closes it (dmirror_fops_release()), or by HMM_DMIRROR_RELEASE.
import { scenario, struct } from 'putpage/model'
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
  about: 'eviction of a device-private page against its allocation',
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
  },
  threads: {
    migrate() {
      dmirror_migrate_to_device(vma)
    },
    evict() {
      dmirror_device_evict_chunk(pgmap)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the process has its page': () => vma.pte.page !== null && vma.pte.page._refcount === 1 && vma.pte.page._mapcount === 1,
    'a device page that nobody maps is free': () => vma.pte.page === device || mdevice.free_pages === device,
  },
  sometimes: {
    'eviction has the page of an allocation that is not complete': () => device.held.alloc > 0 && device.held.migrate > 0,
    'the page went to the device': () => vma.pte.kind === 'device_private',
  },
})
