// Charges of pages, and their move from one memory control group to another: mm/memcontrol.c (the move: mm/memcontrol-v1.c in
// v6.12, gone in v7.3). A move meets device-private pages where nobody else takes one: by the entry that maps them.
import { atomic, WARN_ON_ONCE } from 'putpage/model'
import { type MemCgroup, mem_cgroup_disabled } from '../include/linux/memcontrol.ts'
import { is_zone_device_page } from '../include/linux/memremap.ts'
import { get_page, get_page_unless_zero, put_page } from '../include/linux/mm.ts'
import type { Mm, Page, Vma } from '../include/linux/mm_types.ts'
import { page_ref_add_unless } from '../include/linux/page_ref.ts'
import { trylock_page, unlock_page } from '../include/linux/pagemap.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { vm_normal_page } from './memory.ts'
import { page_mapped } from './rmap.ts'

/** mem_cgroup_charge(): a page that goes into a process's memory. There is always room. */
export function mem_cgroup_charge(page: Page, mm: Mm): void {
  if (mem_cgroup_disabled()) return
  const memcg = mm.memcg
  if (memcg === null) return
  page_counter_charge(memcg)
  page.memcg = memcg
}

/**
 * mem_cgroup_uncharge(): the page is being freed.
 * The free path calls it before the driver's callback, for the driver may hand the page out again at once.
 */
export function mem_cgroup_uncharge(page: Page): void {
  if (mem_cgroup_disabled()) return
  const memcg = page.memcg
  if (memcg === null) return
  page.memcg = null
  page_counter_uncharge(memcg)
}

/**
 * mem_cgroup_migrate(), with both pages locked: the new page is charged as the old one is, which keeps its charge until it is
 * freed.
 * Since "memcontrol: only transfer the memcg data for migration" (in v6.7) the charge is handed over.
 */
export function mem_cgroup_migrate(from: Page, to: Page): void {
  if (mem_cgroup_disabled()) return
  if (!change.memcg_migrate_transfers && to.memcg !== null) return
  const memcg = from.memcg
  if (memcg === null) return
  if (change.memcg_migrate_transfers) {
    to.memcg = memcg
    from.memcg = null
    return
  }
  page_counter_charge(memcg)
  to.memcg = memcg
}

function page_counter_charge(memcg: MemCgroup): void {
  atomic(() => {
    memcg.charged += 1
  })
}

/** page_counter_uncharge(), page_counter_cancel(). */
function page_counter_uncharge(memcg: MemCgroup): void {
  const left = atomic(() => {
    memcg.charged -= 1
    return memcg.charged
  })
  WARN_ON_ONCE(
    left < 0,
    'page_counter underflow',
    'a page gives a charge back that it does not have: it is freed twice, or its charge was moved while it was freed',
  )
}

/**
 * mem_cgroup_move_task() of a process with one VMA: charges follow the task to its new group, as far as they can.
 * Charge moving is gone in v7.3.
 */
export function mem_cgroup_move_task(vma: Vma, to: MemCgroup): void {
  const from = vma.mm.memcg
  vma.mm.memcg = to
  if (change.memcg_no_charge_moving || from === null) return
  down_read(vma.mm.mmap_lock)
  mem_cgroup_move_charge_pte_range(vma, from, to)
  up_read(vma.mm.mmap_lock)
}

/**
 * mem_cgroup_move_charge_pte_range() of one entry, all of it under the page-table lock. Ordinary pages, which are isolated
 * from the LRU first, are left out.
 */
function mem_cgroup_move_charge_pte_range(vma: Vma, from: MemCgroup, to: MemCgroup): void {
  spin_lock(vma.ptl)
  const pte = vma.pte
  const page = pte.page
  if (page !== null && pte.kind === 'device_private') {
    if (change.memcg_skips_mapped_entries) move_charge_locked(page, false, from, to)
    else move_charge(page, false, from, to)
  } else if (page !== null && pte.kind === 'present' && is_zone_device_page(page) && vm_normal_page(vma)) {
    if (change.memcg_skips_mapped_entries) move_charge_locked(page, true, from, to)
    else move_charge(page, true, from, to)
  }
  spin_unlock(vma.ptl)
}

/** get_mctgt_type() and MC_TARGET_DEVICE, as long as mem_cgroup_move_account() locks the page itself. */
function move_charge(page: Page, present: boolean, from: MemCgroup, to: MemCgroup): void {
  if (!mc_handle_pte(page, present)) return
  // A loose look; mem_cgroup_move_account() looks again.
  if (page.memcg === from && trylock_page(page)) {
    mem_cgroup_move_account(page, from, to)
    unlock_page(page)
  }
  put_page(page, 'speculative')
}

/**
 * get_mctgt_type() and MC_TARGET_DEVICE since "mm: memcontrol: skip moving non-present pages that are mapped elsewhere" (in
 * v6.2): the page is locked first. A device-private entry maps its page, so that page is always passed over.
 */
function move_charge_locked(page: Page, present: boolean, from: MemCgroup, to: MemCgroup): void {
  if (!mc_handle_pte(page, present)) return
  if (trylock_page(page)) {
    const skipped = !present && page_mapped(page)
    if (!skipped && page.memcg === from) mem_cgroup_move_account(page, from, to)
    unlock_page(page)
  }
  put_page(page, 'speculative')
}

/** mc_handle_present_pte(), mc_handle_swap_pte(). The first takes the page with get_page() in v6.12: the entry, which is locked, holds it. */
function mc_handle_pte(page: Page, present: boolean): boolean {
  if (!present) return mc_handle_swap_pte(page)
  if (!change.memcg_skips_mapped_entries) return page_mapped(page) && get_page_unless_zero(page, 'speculative')
  get_page(page, 'speculative')
  return true
}

/**
 * The device-private entry of mc_handle_swap_pte(): a reference unless the page is free, which this function says by the
 * count of its own: 1 in v5.10.
 * Since Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18), and in the patch of
 * November 2021, it is 0.
 */
function mc_handle_swap_pte(page: Page): boolean {
  if (change.memcg_get_unless_zero) return get_page_unless_zero(page, 'speculative')
  return page_ref_add_unless(page, 1, 'speculative')
}

/** mem_cgroup_move_account(), with the page locked. */
function mem_cgroup_move_account(page: Page, from: MemCgroup, to: MemCgroup): void {
  if (page.memcg !== from) return
  page.memcg = to
  atomic(() => {
    to.charged += 1
    from.charged -= 1
  })
}
