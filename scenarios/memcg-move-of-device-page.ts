// A task with memory on the device moves to another memory control group. Nobody else is there: what is at stake is whether
// the move takes a page that is only mapped, and passes over one that is free.
import { scenario, struct } from 'putpage/model'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { exit_mmap } from '../kernel/kernel/exit.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { mem_cgroup_move_task } from '../kernel/mm/memcontrol.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'

const device = struct(Page)
const ram = struct(Page)
const backing = struct(Backing)
const pgmap = struct(DevPagemap, { type: 'private', pages: [device, null] })
const from = struct(MemCgroup)
const to = struct(MemCgroup)
const mm = struct(Mm, { memcg: from })
const vma = struct(Vma, { mm })

export default scenario({
  about: 'move of the charge of a mapped device-private page, then exit',
  bounds: '1 thread, 1 device page, 1 ordinary page, one move',
  setup() {
    memory_cgrp_subsys.enabled = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_chunk(pgmap, 1, backing, null)
    handle_mm_fault(vma, true)
    dmirror_migrate_to_device(vma)
  },
  threads: {
    task() {
      mem_cgroup_move_task(vma, to)
      exit_mmap(vma)
    },
  },
  always: {
    'a free device page is charged to nobody': () => mdevice.free_pages !== device || device.memcg === null,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram) === 0,
    'the device page is free': () => mdevice.free_pages === device && device.zone_device_data.next === null,
    'nothing is charged any more': () => from.charged === 0 && to.charged === 0,
  },
  sometimes: {
    'the move holds the device page': () => device.held.speculative > 0,
    'the charge moves': () => to.charged === 1,
  },
  unreachable: {
    'the move holds the device page': { 'v7.3': 'charges no longer move' },
    'the charge moves': {
      'v6.12': 'a page that a non-present entry maps is passed over',
      'v7.3': 'charges no longer move',
    },
  },
})
