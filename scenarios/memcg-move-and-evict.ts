// A task moves to another memory control group, and its charges with it, while the driver evicts its page by frame number. Either
// takes a reference of the page and its lock, the one by the entry, the other by the frame.
import { scenario, struct } from 'putpage/model'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_device_evict_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { mem_cgroup_move_task } from '../kernel/mm/memcontrol.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram0 = struct(Page)
const ram1 = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const from = struct(MemCgroup)
const to = struct(MemCgroup)
const mm = struct(Mm, { memcg: from })
const vma = struct(Vma, { mm })

export default scenario({
  about: 'move of a charge to another memory control group against the eviction of the device-private page',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one move, one eviction',
  // Drivers evict since v6.1; in v7.3 charges no longer move.
  kernels: ['v6.1', 'v6.12'],
  setup() {
    memory_cgrp_subsys.enabled = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram0)
    give_to_buddy(1, ram1)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    dmirror_migrate_to_device(vma)
  },
  threads: {
    mover() {
      mem_cgroup_move_task(vma, to)
    },
    evict() {
      dmirror_device_evict_chunk(pgmap)
    },
  },
  always: {
    'a free device page is charged to nobody': () => mdevice.free_pages !== device || device.memcg === null,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the page is on the device or back, once': () => vma.pte.page!._refcount === 1 && vma.pte.page!._mapcount === 1,
    'the one page in use is charged once': () => from.charged + to.charged === 1 && vma.pte.page!.memcg !== null,
  },
  sometimes: {
    'move and eviction both hold the page': () => device.held.speculative > 0 && device.held.migrate > 0,
    'the page comes back': () => vma.pte.kind === 'present',
    'the page stays': () => vma.pte.kind === 'device_private' && device.lock.owner === null && device.held.migrate === 0,
  },
})
