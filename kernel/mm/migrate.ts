// Migration: mm/migrate.c. What v5.10 had of migrate_vma_*() here is in migrate_device.ts, where v5.18 moved it.
import type { Int } from 'putpage/model'
import { is_device_private_or_coherent_page, is_device_private_page } from '../include/linux/memremap.ts'
import { get_page, get_page_unless_zero, put_page } from '../include/linux/mm.ts'
import { anon_vma, type Page, type Vma } from '../include/linux/mm_types.ts'
import { page_ref_count, page_ref_freeze, page_ref_inc, page_ref_unfreeze, unhold } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { queue_on_page_lock, sleep_on_page_lock } from '../include/linux/pagemap.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { remove_migration_pmd } from './huge_memory.ts'
import { mem_cgroup_migrate } from './memcontrol.ts'
import { page_add_rmap } from './rmap.ts'
import { swap_space } from './swap_state.ts'

/** remove_migration_ptes(): every migration entry of the folio `old` becomes an entry of `folio`, which counts. */
export function remove_migration_ptes(old: Page, folio: Page): void {
  for (let i = 0; i < 2; i++) {
    const vma = anon_vma.vmas[i]
    if (vma !== null) {
      if (vma.pmd !== null && vma.pmd.vmas[0] === vma) remove_migration_pmd(vma.pmd, old, folio)
      remove_migration_pte(vma, old, folio)
    }
  }
}

/** remove_migration_pte(). An entry of a device-private page is one again. */
export function remove_migration_pte(vma: Vma, old: Page, folio: Page): void {
  spin_lock(vma.ptl)
  const pte = vma.pte
  const from = pte.page
  if (pte.kind === 'migration' && from !== null && compound_head(from) === old) {
    // Page for page, where both are folios of two.
    const page = from === old ? folio : folio.next_page!
    get_page(page, 'pte')
    page_add_rmap(page)
    if (is_device_private_page(page)) vma.pte = { kind: 'device_private', page, write: pte.write }
    else vma.pte = { kind: 'present', page, write: pte.write }
  }
  spin_unlock(vma.ptl)
}

/**
 * migration_entry_wait(): a fault met a migration entry and sleeps until the page is unlocked.
 * Since Linux commit ffa65753c431 ("mm/migrate.c: rework migration_entry_wait() to not take a pageref") (in v5.17) it is
 * queued before the page-table lock is dropped; before, a reference kept the page for so long, and was in the way of the
 * migration it waited for.
 */
export function migration_entry_wait(vma: Vma): void {
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind !== 'migration') {
    spin_unlock(vma.ptl)
    return
  }
  const page = pte.page!
  if (change.migration_entry_wait_without_reference) {
    migration_entry_wait_on_locked(vma, page)
    return
  }
  const got = get_page_unless_zero(page, 'speculative')
  spin_unlock(vma.ptl)
  if (got) put_and_wait_on_page_locked(page)
}

/** migration_entry_wait_on_locked(), softleaf_entry_wait_on_locked(): under the page-table lock, which it drops. */
export function migration_entry_wait_on_locked(vma: Vma, page: Page): void {
  const folio = compound_head(page)
  const queued = queue_on_page_lock(folio)
  spin_unlock(vma.ptl)
  if (queued) sleep_on_page_lock(folio)
}

/** put_and_wait_on_page_locked(): the reference is gone before the sleep. */
function put_and_wait_on_page_locked(page: Page): void {
  const queued = queue_on_page_lock(page)
  put_page(page, 'speculative')
  if (queued) sleep_on_page_lock(page)
}

/**
 * expected_page_refs(), folio_expected_refs(); folio_expected_ref_count(). Who holds the page for a fault is expected (`extra`).
 * Until Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) a device-private page
 * that rests at 1 has one more.
 * v6.12 and later ask the folio for its caches and mappings; before, the mapping that the caller passed decided.
 */
function expected_page_refs(page: Page, swap_mapping: boolean, extra: boolean): Int<1, 7> {
  let expected: Int<1, 7> = extra ? 2 : 1
  if (!change.migrate_expects_no_base_reference && is_device_private_or_coherent_page(page)) expected += 1
  if (!change.migrate_expects_by_folio) return swap_mapping ? expected + 1 : expected
  if (page.swapcache) expected += 1
  return expected + page._mapcount
}

/**
 * migrate_page_move_mapping(), folio_migrate_mapping(): the count must be exact; of a page with a mapping v6.12 and later look at it
 * once more before they take the mapping's lock. `swap_mapping`: the caller found that the page's
 * mapping is that of the swap device (an anonymous page has no other); null is the rest. Without a mapping nothing is frozen,
 * as the page is locked and nothing leads to it any more.
 */
export function folio_migrate_mapping(swap_mapping: boolean, dst: Page, src: Page, extra: boolean): boolean {
  const expected = expected_page_refs(src, swap_mapping, extra)
  if ((!swap_mapping || change.migrate_expects_by_folio) && page_ref_count(src) !== expected) return false
  // A large folio may be on a list of those to be split, off which it is taken while it is frozen.
  if (src.order === 1) {
    if (!page_ref_freeze(src, expected)) return false
    page_ref_unfreeze(src, expected)
  }
  if (swap_mapping) {
    if (!replace_in_swap_cache(dst, src, expected)) return false
  }
  dst.anon = true
  // migrate_page_states(), folio_migrate_flags()
  if (src.swapcache) src.swapcache = false
  mem_cgroup_migrate(src, dst)
  return true
}

/** The part of folio_migrate_mapping() under the lock of the mapping: nobody can find the page while it is frozen. */
function replace_in_swap_cache(dst: Page, src: Page, expected: Int<1, 7>): boolean {
  spin_lock(swap_space.lock)
  if (!page_ref_freeze(src, expected)) {
    spin_unlock(swap_space.lock)
    return false
  }
  page_ref_inc(dst, 'cache')
  if (src.swapcache) dst.swapcache = true
  swap_space.slot = dst
  // The reference of the cache goes with it.
  unhold(src, 'cache')
  page_ref_unfreeze(src, expected - 1)
  spin_unlock(swap_space.lock)
  return true
}
