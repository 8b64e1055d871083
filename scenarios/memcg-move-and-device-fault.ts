// A task moves to another memory control group, and its charges with it, while a CPU fault brings its device page back. The
// move takes a reference and the page lock of a page it finds by its entry; the migration wants the lock, and an exact count.
import { expect, scenario, struct } from 'putpage/model'
import { user_load } from '../kernel/arch/x86/mm/fault.ts'
import { MemCgroup, memory_cgrp_subsys } from '../kernel/include/linux/memcontrol.ts'
import { DevPagemap } from '../kernel/include/linux/memremap.ts'
import { anon_vma, Backing, Mm, Page, Vma } from '../kernel/include/linux/mm_types.ts'
import { held_in_passing } from '../kernel/include/linux/page_ref.ts'
import { dmirror_allocate_chunk, dmirror_migrate_to_device, mdevice } from '../kernel/lib/test_hmm.ts'
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
  about: 'move of a charge to another memory control group against a CPU fault on the device-private page',
  bounds: '2 threads, 1 device page, 2 ordinary pages, one move',
  setup() {
    memory_cgrp_subsys.enabled = true
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
    mover() {
      mem_cgroup_move_task(vma, to)
    },
  },
  always: {
    'a free device page is charged to nobody': () => mdevice.free_pages !== device || device.memcg === null,
  },
  finally: {
    'no reference is left behind': () => held_in_passing(device) + held_in_passing(ram0) + held_in_passing(ram1) === 0,
    'the device page is free': () => mdevice.free_pages === device,
    'the one page in use is charged once': () => from.charged + to.charged === 1 && vma.pte.page!.memcg !== null,
  },
  sometimes: {
    'the move holds the device page': () => device.held.speculative > 0,
    'the charge moves': () => to.charged > 0 && from.charged === 0,
    'the move finds the page locked, or the fault does': () => device.held.speculative > 0 && device.lock.owner !== null,
  },
  unreachable: {
    'the move holds the device page': { 'v7.3': 'charges no longer move' },
    'the charge moves': {
      'v6.12': 'a page that a non-present entry maps is passed over',
      'v7.3': 'charges no longer move',
    },
    'the move finds the page locked, or the fault does': { 'v7.3': 'charges no longer move' },
  },
})
