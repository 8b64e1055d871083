// Two pages of a process come back from the device (HMM_DMIRROR_MIGRATE_TO_SYS), and there is an ordinary page for the first only.
import { scenario, struct } from 'putpage/model'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Pmd, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { mdevice } from '../kernel/lib/test_hmm.ts'
import { dmirror_allocate_small_chunk, dmirror_migrate_range_to_device, dmirror_migrate_range_to_system } from '../kernel/lib/test_hmm-folio.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device1 = struct(Page)
const device0 = struct(Page, { next_page: device1 })
const backing0 = struct(Backing)
const backing1 = struct(Backing)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device0, device1] })
const mm = struct(Mm)
const pmd: Pmd = struct(Pmd)
const vma0: Vma = struct(Vma, { mm, index: 0, pmd })
const vma1: Vma = struct(Vma, { mm, index: 1, pmd })

export default scenario({
  about: 'two pages that are to come back from the device, where an ordinary page may be missing (test_hmm)',
  bounds: '1 thread, 2 device pages, 2 ordinary pages',
  // Device-private folios are single pages before.
  kernels: ['v7.3'],
  setup() {
    anon_vma.vmas[0] = vma0
    anon_vma.vmas[1] = vma1
    pmd.vmas[0] = vma0
    pmd.vmas[1] = vma1
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_small_chunk(pgmap, backing0, backing1)
    dmirror_migrate_range_to_device(pmd)
    mdevice.system_alloc_fails = true
  },
  threads: {
    process() {
      dmirror_migrate_range_to_system(pmd)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device0) + held_in_passing(device1) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'a page that is mapped is anonymous': () => (vma0.pte.kind !== 'present' || vma0.pte.page!.anon) && (vma1.pte.kind !== 'present' || vma1.pte.page!.anon),
  },
  sometimes: {
    'both come back': () => vma0.pte.kind === 'present' && vma1.pte.kind === 'present',
    'both stay': () => vma0.pte.kind === 'device_private' && vma1.pte.kind === 'device_private' && ram0.buddy && ram1.buddy,
  },
})
