// The driver migrates memory that the process has not touched yet to coherent memory, while the CPU touches it: whoever comes second
// finds the entry taken and gives its page back. Each page is charged to the group of the process, and the charge goes with it.
import { scenario, struct } from 'putpage/model'
import { user_access } from '../kernel/arch/x86/mm/fault.ts'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { madvise_dontneed } from '../kernel/mm/madvise.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { change } from '../kernel/switches.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const memcg = struct(MemCgroup)
const mm = struct(Mm, { memcg })
const vma = struct(Vma, { mm })

export default scenario({
  about: 'migration of a hole to coherent memory against the first touch of the page, and MADV_DONTNEED',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one migration',
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  needs: ['device_coherent'],
  setup() {
    memory_cgrp_subsys.enabled = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_coherent_chunk(pgmap, 1)
  },
  threads: {
    driver() {
      dmirror_migrate_to_device(vma)
      madvise_dontneed(vma)
    },
    process() {
      user_access(vma, true)
    },
  },
  always: {
    'a free device page is charged to nobody': () => mdevice.free_pages !== device || device.memcg === null,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'what is mapped is charged, and nothing else': () => memcg.charged === (vma.pte.kind === 'none' ? 0 : 1),
    'the device page is free': () => !change.device_coherent || vma.pte.page === device || mdevice.free_pages === device,
  },
  sometimes: {
    'the page of the device takes the place': () => vma.pte.kind === 'present' && vma.pte.page === device,
    'the process came first': () => vma.pte.kind === 'present' && vma.pte.page !== device && device.held.alloc > 0,
  },
})
