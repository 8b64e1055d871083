// A driver gives up its memory while the task that maps a page of it moves to another memory control group, and then exits. In
// v5.10 the unload frees the page while it is mapped (a bug of its own); the move must not take it then, or its put frees the
// page a second time.
import { scenario, struct } from 'putpage/model'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_chunk, dmirror_device_remove_chunks, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
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
  about: 'move of the charge of a device-private page, then exit, against the unload of the driver',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one move',
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
    task() {
      mem_cgroup_move_task(vma, to)
      exit_mmap(vma)
    },
    remove() {
      dmirror_device_remove_chunks(pgmap)
    },
  },
  always: {
    'the list of free pages has an end': () => device.zone_device_data.next !== device,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'nothing is charged any more': () => from.charged === 0 && to.charged === 0,
  },
  sometimes: {
    'the move holds the page of a dying pgmap, or of a driver that evicts': () => device.held.speculative > 0 && (pgmap.ref.mode.dead || mdevice.remove),
    'the pgmap is released': () => pgmap.ref.released,
  },
  unreachable: {
    'the move holds the page of a dying pgmap, or of a driver that evicts': { 'v7.3': 'charges no longer move' },
  },
})
