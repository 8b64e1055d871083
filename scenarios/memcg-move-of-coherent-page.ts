// A task with a page in coherent device memory moves to another memory control group while another thread of it unmaps the page. The
// page is mapped like ordinary memory, and never on the LRU: the move takes it by its entry.
import { scenario, struct } from 'putpage/model'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_coherent_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
import { mem_cgroup_move_task } from '../kernel/mm/memcontrol.ts'
import { handle_mm_fault } from '../kernel/mm/memory.ts'
import { munmap } from '../kernel/mm/mmap.ts'
import { give_to_buddy } from '../kernel/mm/page_alloc.ts'
import { change } from '../kernel/switches.ts'

const device = struct(Page)
const ram = struct(Page)
const pgmap = struct(DevPagemap, { type: 'coherent', pages: [device, null] })
const from = struct(MemCgroup)
const to = struct(MemCgroup)
const mm = struct(Mm, { memcg: from })
const vma = struct(Vma, { mm })

export default scenario({
  about: 'move of the charge of a page in coherent memory against munmap()',
  bounds: '2 threads, 1 device page, 1 ordinary page, one move',
  kernels: ['v6.1', 'v6.12', 'v7.3'],
  needs: ['device_coherent'],
  setup() {
    memory_cgrp_subsys.enabled = true
    anon_vma.vmas[0] = vma
    give_to_buddy(0, ram)
    dmirror_allocate_coherent_chunk(pgmap, 1)
    handle_mm_fault(vma, true)
    dmirror_migrate_to_device(vma)
  },
  threads: {
    move() {
      mem_cgroup_move_task(vma, to)
    },
    unmap() {
      munmap(vma)
    },
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram) === 0,
    'the device page is free': () => !change.device_coherent || (device._refcount === device.held.base && mdevice.free_pages === device),
    'nothing is charged any more': () => from.charged === 0 && to.charged === 0,
  },
  sometimes: {
    'the move holds the device page': () => device.held.speculative > 0,
    'the charge moves': () => to.charged === 1,
    'the page is unmapped before its charge moves': () => vma.pte.kind === 'none' && mm.memcg === from && from.charged === 0,
  },
  unreachable: {
    'the move holds the device page': { 'v7.3': 'charges no longer move' },
    'the charge moves': { 'v7.3': 'charges no longer move' },
  },
})
