// Huge entries of anonymous memory that lead to device-private folios, and the split of such folios: mm/huge_memory.c of v7.3,
// which has them first. One large order, a folio of two pages, stands for any. PMD entries of files are in huge_memory-pmd.ts.
import { atomic, type Int, READ_ONCE, same, VM_WARN_ON, WRITE_ONCE } from 'putpage/model'
import { folio_split, migrate_to_ram } from '../include/linux/dev_pagemap_ops.ts'
import { is_device_private_page, is_zone_device_page } from '../include/linux/memremap.ts'
import { get_page, put_page } from '../include/linux/mm.ts'
import { type Page, PMD_NONE, type Pmd, type PmdEntry, type Vma } from '../include/linux/mm_types.ts'
import { hand_over, hold, page_ref_count, page_ref_freeze, page_ref_inc, page_ref_unfreeze } from '../include/linux/page_ref.ts'
import { compound_head, folio_page } from '../include/linux/page-flags.ts'
import { queue_on_page_lock, sleep_on_page_lock, trylock_page, unlock_page } from '../include/linux/pagemap.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { split_folio_to_order } from './internal.ts'
import { mem_cgroup_charge } from './memcontrol.ts'
import { type FaultResult, flush_tlb_range, zap_page_range } from './memory.ts'
import { remove_migration_ptes } from './migrate.ts'
import { page_add_new_anon_rmap, page_add_rmap, page_mapped, page_remove_rmap, try_to_migrate_split } from './rmap.ts'
import { lru_cache_add, release_pages } from './swap.ts'

/**
 * __handle_mm_fault() of anonymous memory, down to the PMD. `fallback`: the page table below decides. No huge page is made by
 * a fault (create_huge_pmd()).
 */
export function handle_anon_pmd_fault(vma: Vma): FaultResult {
  const pmd = vma.pmd!
  const orig_pmd = READ_ONCE(pmd.entry)
  switch (orig_pmd.kind) {
    case 'device_private':
      return do_huge_pmd_device_private(vma, orig_pmd)
    case 'migration':
      pmd_migration_entry_wait(pmd)
      return 'done'
    case 'present':
      return 'done'
    case 'none':
      return pmd_missing(pmd)
    case 'table':
      return 'fallback'
  }
}

/**
 * handle_pte_fault(), do_anonymous_page(), down to where the page is allocated: an entry that is huge by the second look is left to the
 * next fault. One that has become so since, before pte_alloc() had its lock, is seen when the page is to be mapped.
 */
function pmd_missing(pmd: Pmd): FaultResult {
  const now = READ_ONCE(pmd.entry).kind
  if (now !== 'none' && now !== 'table') return 'done'
  pte_alloc_anon(pmd)
  return 'fallback'
}

/** pte_alloc(): a page table where there was nothing. */
export function pte_alloc_anon(pmd: Pmd): void {
  spin_lock(pmd.lock)
  if (pmd.entry.kind === 'none') pmd.entry = { kind: 'table', page: null, write: false }
  spin_unlock(pmd.lock)
}

/**
 * do_huge_pmd_device_private(): as the device-private entry of do_swap_page(), under the PMD lock. Who does not get the page lock
 * tries the access again at once.
 */
function do_huge_pmd_device_private(vma: Vma, orig_pmd: PmdEntry): FaultResult {
  const pmd = vma.pmd!
  spin_lock(pmd.lock)
  if (!same(pmd.entry, orig_pmd)) {
    spin_unlock(pmd.lock)
    return 'done'
  }
  const page = orig_pmd.page!
  const folio = compound_head(page)
  if (!trylock_page(folio)) {
    spin_unlock(pmd.lock)
    return 'done'
  }
  get_page(folio, 'fault')
  spin_unlock(pmd.lock)
  const result = migrate_to_ram(vma, page, false)
  unlock_page(folio)
  put_page(folio, 'fault')
  return result
}

/** pmd_migration_entry_wait(): queued on the folio's lock before the PMD lock is dropped. */
function pmd_migration_entry_wait(pmd: Pmd): void {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind !== 'migration') {
    spin_unlock(pmd.lock)
    return
  }
  const folio = compound_head(entry.page!)
  const queued = queue_on_page_lock(folio)
  spin_unlock(pmd.lock)
  if (queued) sleep_on_page_lock(folio)
}

/**
 * zap_huge_pmd(), zap_huge_pmd_folio() of anonymous memory: a device-private folio is put under the lock, an ordinary one after the
 * flush. Whether there is a mapping to take away, and a reference to put, is told by the folio, and not by the entry: that of a
 * migration under way, which has neither, is treated as the device-private entry it took the place of. False if the entry is no
 * huge one.
 */
function zap_huge_pmd(pmd: Pmd): boolean {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'none' || entry.kind === 'table') {
    spin_unlock(pmd.lock)
    return false
  }
  const folio = entry.page!
  pmd.entry = PMD_NONE
  const device_private = change.zap_huge_pmd_asks_entry ? entry.kind === 'device_private' : is_device_private_page(folio)
  if (entry.kind === 'present' || device_private) folio_remove_rmap_pmd(folio)
  if (device_private) put_page(folio, 'pte')
  spin_unlock(pmd.lock)
  if (entry.kind === 'present') {
    flush_tlb_range()
    release_pages(folio, 1, 'pte')
  }
  return true
}

/** folio_remove_rmap_pmd(). */
function folio_remove_rmap_pmd(folio: Page): void {
  page_remove_rmap(folio)
  VM_WARN_ON(folio._mapcount < 0, 'folio_mapcount(folio) < 0', 'a mapping is taken away that was not there any more')
}

/** zap_pmd_range() of anonymous memory, for a range that covers the whole entry. */
export function zap_anon_pmd_range(pmd: Pmd): void {
  const entry = READ_ONCE(pmd.entry)
  if (entry.kind === 'none') return
  if (entry.kind !== 'table' && zap_huge_pmd(pmd)) return
  for (let i = 0; i < 2; i++) zap_page_range(pmd.vmas[i]!)
  if (change.pt_reclaim) zap_pte_table_if_empty(pmd)
}

/**
 * zap_pte_table_if_empty(): a page table that MADV_DONTNEED has emptied is freed.
 * Since Linux commit 6375e95f381e ("mm: pgtable: reclaim empty PTE page in madvise(MADV_DONTNEED)") (in v6.14). zap_empty_pte_table()
 * does so before the lock of the page table is dropped at all, if it gets the PMD lock at once.
 */
function zap_pte_table_if_empty(pmd: Pmd): void {
  const vma0 = pmd.vmas[0]!
  const vma1 = pmd.vmas[1]!
  spin_lock(pmd.lock)
  lock_page_table(vma0, vma1)
  if (pmd.entry.kind === 'table' && vma0.pte.kind === 'none' && vma1.pte.kind === 'none') pmd.entry = PMD_NONE
  unlock_page_table(vma0, vma1)
  spin_unlock(pmd.lock)
}

/** The lock of a page table. The kernel has one; in the model each entry has its own, so both are taken. */
export function lock_page_table(vma0: Vma, vma1: Vma): void {
  spin_lock(vma0.ptl)
  spin_lock(vma1.ptl)
}

export function unlock_page_table(vma0: Vma, vma1: Vma): void {
  spin_unlock(vma1.ptl)
  spin_unlock(vma0.ptl)
}

/** __split_huge_pmd() of anonymous memory. True if there was a huge entry. */
export function split_anon_huge_pmd(pmd: Pmd, freeze: boolean): boolean {
  spin_lock(pmd.lock)
  const kind = pmd.entry.kind
  split_huge_pmd_locked(pmd, freeze)
  spin_unlock(pmd.lock)
  return kind !== 'none' && kind !== 'table'
}

/**
 * split_huge_pmd_locked(), __split_huge_pmd_locked(): entries of the pages behind it take the place of the one entry. With `freeze`
 * they are migration entries and hold nothing, and the reference of the one entry is put; for a migration entry, which has
 * none, that is one the caller took for it. An ordinary folio is never frozen so in this model.
 */
export function split_huge_pmd_locked(pmd: Pmd, freeze: boolean): void {
  const entry = pmd.entry
  if (entry.kind === 'none' || entry.kind === 'table') return
  const folio = entry.page!
  const mapped = entry.kind !== 'migration'
  if (entry.kind === 'present') {
    // pmdp_invalidate()
    pmd.entry = PMD_NONE
    flush_tlb_range()
  }
  if (mapped && !freeze) {
    // folio_ref_add(folio, HPAGE_PMD_NR - 1), folio_add_anon_rmap_ptes().
    page_ref_inc(folio, 'pte')
    page_add_rmap(folio)
    page_add_rmap(folio)
  }
  // The page table is not there for anybody else yet.
  for (let i = 0; i < 2; i++) {
    const page = folio_page(folio, i)
    const vma = pmd.vmas[i]!
    if (freeze || !mapped) WRITE_ONCE(vma.pte, { kind: 'migration', page, write: entry.write })
    else if (entry.kind === 'present') WRITE_ONCE(vma.pte, { kind: 'present', page, write: entry.write })
    else WRITE_ONCE(vma.pte, { kind: 'device_private', page, write: entry.write })
  }
  if (mapped) page_remove_rmap(folio)
  if (freeze) {
    if (mapped) put_page(folio, 'pte')
    else put_page(folio, 'speculative')
  }
  pmd.entry = { kind: 'table', page: null, write: false }
}

/**
 * set_pmd_migration_entry() of a device-private entry, under the PMD lock. The caller holds the folio. pmdp_huge_get_and_clear(): for
 * a moment the entry is none, as that of an ordinary huge page (pmdp_invalidate()) never is.
 */
export function set_pmd_migration_entry(pmd: Pmd): void {
  const entry = pmd.entry
  const folio = entry.page!
  if (!change.migration_pmd_is_never_none) pmd.entry = PMD_NONE
  pmd.entry = { kind: 'migration', page: folio, write: entry.write }
  page_remove_rmap(folio)
  put_page(folio, 'pte')
}

/** remove_migration_pmd(): the migration entry of `old` becomes an entry of the folio `folio`. */
export function remove_migration_pmd(pmd: Pmd, old: Page, folio: Page): void {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind === 'migration' && entry.page === old) {
    get_page(folio, 'pte')
    page_add_rmap(folio)
    if (is_device_private_page(folio)) pmd.entry = { kind: 'device_private', page: folio, write: entry.write }
    else pmd.entry = { kind: 'present', page: folio, write: entry.write }
  }
  spin_unlock(pmd.lock)
}

/** migrate_vma_insert_huge_pmd_page(): a large folio takes a range that is still empty. */
export function insert_huge_pmd(pmd: Pmd, folio: Page): boolean {
  let done = false
  mem_cgroup_charge(folio, pmd.vmas[0]!.mm)
  spin_lock(pmd.lock)
  if (pmd.entry.kind === 'none') {
    page_add_new_anon_rmap(folio)
    if (!is_zone_device_page(folio)) lru_cache_add(folio)
    get_page(folio, 'pte')
    if (is_device_private_page(folio)) pmd.entry = { kind: 'device_private', page: folio, write: true }
    else pmd.entry = { kind: 'present', page: folio, write: true }
    done = true
  }
  spin_unlock(pmd.lock)
  return done
}

/** folio_expected_ref_count() of an anonymous folio outside of the swap cache: its mappings. */
function folio_expected_ref_count(folio: Page): number {
  return folio._mapcount
}

/**
 * split_folio(), __folio_split() to single pages, with the folio locked and held by the caller once: unmaps, splits, maps again. The
 * caller is left with the lock and the reference of the first page; the others are unlocked and put.
 */
export function split_folio(folio: Page): boolean {
  if (!__folio_split(folio)) return false
  const tail = folio.next_page!
  unlock_page(tail)
  put_page(tail, 'migrate')
  return true
}

/** The same with the page behind the first kept locked, and held by the fault (`lock_at`); the first is unlocked and put. */
export function split_folio_keep_tail(folio: Page): boolean {
  if (!__folio_split(folio)) return false
  const tail = folio.next_page!
  atomic(() => hand_over(tail, 'migrate', 'fault'))
  unlock_page(folio)
  put_page(folio, 'fault')
  return true
}

/**
 * __folio_split(): folio_get_anon_vma() finds none once nobody maps the folio. That the folio is unmapped meanwhile, or found by
 * somebody, is seen by the count.
 */
function __folio_split(folio: Page): boolean {
  const tail = folio.next_page!
  if (!page_mapped(folio)) return false
  const expected = folio_expected_ref_count(folio)
  if (page_ref_count(folio) - 1 !== expected) return false
  // unmap_folio()
  try_to_migrate_split(folio)
  const split = __folio_freeze_and_split_unmapped(folio, 1)
  // remap_page()
  remove_migration_ptes(folio, folio)
  if (!split) return false
  remove_migration_ptes(tail, tail)
  return true
}

/**
 * folio_split_unmapped(): the folio is unmapped, locked, and held by nobody but the caller, `refs` times, or it is not split. The new
 * folios stay locked, with a reference each. In v7.3 `refs` is 1, whether the caller is a fault, which holds the folio beside, or not.
 */
export function folio_split_unmapped(folio: Page, refs: Int<1, 2>): boolean {
  const expected = folio_expected_ref_count(folio)
  VM_WARN_ON(expected !== 0, 'folio_mapped(folio)', 'a folio that is mapped is split as if it were not')
  if (page_ref_count(folio) - refs !== expected) return false
  return __folio_freeze_and_split_unmapped(folio, refs)
}

/**
 * __folio_freeze_and_split_unmapped(): nobody can take a reference while the folio is taken apart; then each page has one, the first all
 * of the caller's. The page that was the first comes last.
 */
function __folio_freeze_and_split_unmapped(folio: Page, refs: Int<1, 2>): boolean {
  const tail = folio.next_page!
  if (!page_ref_freeze(folio, refs)) return false
  split_folio_to_order(folio)
  zone_device_private_split_cb(folio, tail)
  hold(tail, 'migrate')
  page_ref_unfreeze(tail, 1)
  zone_device_private_split_cb(folio, null)
  page_ref_unfreeze(folio, refs)
  return true
}

/**
 * zone_device_private_split_cb(), include/linux/memremap.h: the driver is told of each new folio, and at last that the first is all
 * that is left. Without a callback the new folio gets the pgmap here.
 */
function zone_device_private_split_cb(folio: Page, new_folio: Page | null): void {
  if (!is_device_private_page(folio)) return
  folio_split(folio.pgmap!, folio, new_folio)
}
