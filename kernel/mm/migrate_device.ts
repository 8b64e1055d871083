// migrate_vma_*() and migrate_device_*(): mm/migrate_device.c (mm/migrate.c before v5.18). One page at a time: `src` is
// the page's entry of the src array, and the functions give it back as they leave it.
import type { Word } from 'putpage/model'
import { is_device_coherent_page, is_device_private_or_coherent_page, is_device_private_page, is_zone_device_page } from '../include/linux/memremap.ts'
import { get_page, get_page_unless_zero, put_page } from '../include/linux/mm.ts'
import { GUP_PIN_COUNTING_BIAS, type Page, PTE_NONE, type Vma } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { lock_page, trylock_page, unlock_page } from '../include/linux/pagemap.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { mem_cgroup_charge } from './memcontrol.ts'
import { flush_tlb_range, pte_offset_map_lock } from './memory.ts'
import { folio_migrate_mapping, remove_migration_pte, remove_migration_ptes } from './migrate.ts'
import { alloc_page } from './page_alloc.ts'
import { page_add_new_anon_rmap, page_mapped, page_remove_rmap, try_to_migrate } from './rmap.ts'
import { lru_cache_add } from './swap.ts'
import { folio_free_swap } from './swap_state.ts'
import { isolate_lru_page, putback_lru_page } from './vmscan.ts'

/** An entry of the src array: the page (null is a hole), MIGRATE_PFN_MIGRATE, and v5.10's MIGRATE_PFN_LOCKED. */
export type MigratePfn = Word<{ page: Page | null; migrate: boolean; locked: boolean }>

/** MIGRATE_VMA_SELECT_*: which pages a migration is for. The last came with Linux commit f25cbb7a95a2 (in v6.0). */
export type MigrateVmaSelect = 'system' | 'device_private' | 'device_coherent'

const NOTHING: MigratePfn = { page: null, migrate: false, locked: false }
const HOLE: MigratePfn = { page: null, migrate: true, locked: false }

/**
 * migrate_vma_setup() of one page: afterwards it is locked, unmapped and has no reference but those that are known.
 * `fault_page` is the page whose fault this is, and which holds a reference of that fault; null where it holds none.
 */
export function migrate_vma_setup(vma: Vma, select: MigrateVmaSelect, fault_page: Page | null): MigratePfn {
  let src: MigratePfn = NOTHING
  if (select === 'system') src = migrate_vma_collect_present(vma, false)
  else if (select === 'device_coherent') src = migrate_vma_collect_present(vma, true)
  else src = migrate_vma_collect_device(vma, fault_page)
  if (src.page === null) return src
  if (change.migrate_collect_trylock_once) return migrate_device_unmap(src.page, fault_page)
  src = migrate_vma_prepare(vma, src, fault_page)
  if (src.page === null) return src
  return migrate_vma_unmap(src.page, fault_page)
}

/**
 * migrate_vma_collect_pmd() with MIGRATE_VMA_SELECT_SYSTEM or _DEVICE_COHERENT: a coherent page's entry is an ordinary one, and
 * is passed over by who did not ask for it. @kernel migrate_vma_collect_pmd
 */
function migrate_vma_collect_present(vma: Vma, coherent: boolean): MigratePfn {
  let src: MigratePfn = NOTHING
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'none') src = HOLE
  else if (pte.kind === 'present') {
    const page = pte.page!
    if (page.anon && is_device_coherent_page(page) === coherent) src = collect_present(vma, page, pte.write)
  }
  spin_unlock(vma.ptl)
  return src
}

/** The present entry of migrate_vma_collect_pmd(). */
function collect_present(vma: Vma, page: Page, write: boolean): MigratePfn {
  get_page(page, 'migrate')
  if (!trylock_page(page)) return collect_busy(page)
  if (change.anon_exclusive && write) {
    // A writable entry of an anonymous page means that the page is exclusive: ptep_clear_flush(), then
    // page_try_share_anon_rmap(), which fails if somebody may have pinned the page.
    vma.pte = PTE_NONE
    flush_tlb_range()
    if (page_ref_count(page) >= GUP_PIN_COUNTING_BIAS) {
      vma.pte = { kind: 'present', page, write }
      unlock_page(page)
      put_page(page, 'migrate')
      return NOTHING
    }
  }
  vma.pte = { kind: 'migration', page, write }
  page_remove_rmap(page)
  put_page(page, 'pte')
  flush_tlb_range()
  return { page, migrate: true, locked: true }
}

/** The device-private entry of migrate_vma_collect_pmd(), with MIGRATE_VMA_SELECT_DEVICE_PRIVATE. @kernel migrate_vma_collect_pmd */
function migrate_vma_collect_device(vma: Vma, fault_page: Page | null): MigratePfn {
  let src: MigratePfn = NOTHING
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'none') src = HOLE
  else if (pte.kind === 'device_private') {
    const page = pte.page!
    if (page.anon) src = collect_device_private(vma, page, pte.write, fault_page)
  }
  spin_unlock(vma.ptl)
  return src
}

/**
 * Since Linux commit 1afaeb8293c9 ("mm/migrate: Trylock device page in do_swap_page") (in v6.15) the fault has locked its
 * page already.
 */
function collect_device_private(vma: Vma, page: Page, write: boolean, fault_page: Page | null): MigratePfn {
  get_page(page, 'migrate')
  if (!(change.fault_locks_page && fault_page === page)) {
    if (!trylock_page(page)) return collect_busy(page)
  }
  vma.pte = { kind: 'migration', page, write }
  page_remove_rmap(page)
  put_page(page, 'pte')
  return { page, migrate: true, locked: true }
}

/**
 * The page lock is busy.
 * Since Linux commit ab09243aa95a ("mm/migrate.c: remove MIGRATE_PFN_LOCKED") (in v5.16) the page is given up; before, it
 * kept its reference and its mapping, and migrate_vma_prepare() tried again.
 */
function collect_busy(page: Page): MigratePfn {
  if (!change.migrate_collect_trylock_once) return { page, migrate: true, locked: false }
  put_page(page, 'migrate')
  return NOTHING
}

/** isolate_lru_page() of the source, an ordinary page: that reference stands in for the one collect took. */
function isolate_source(page: Page): boolean {
  if (is_zone_device_page(page)) return true
  if (!isolate_lru_page(page)) return false
  put_page(page, 'migrate')
  return true
}

/** get_page() and putback_lru_page() of the source, an ordinary page: the migration holds it as before. */
function putback_source(page: Page): void {
  if (is_zone_device_page(page)) return
  get_page(page, 'migrate')
  putback_lru_page(page)
}

/** The source is unlocked, unless it is the fault that has locked it. */
function unlock_source(page: Page, fault_page: Page | null): void {
  if (!(change.fault_locks_page && fault_page === page)) unlock_page(page)
}

/** The source's last put of a migration: its reference came from collect, or from the isolation of an ordinary page. */
function put_source(page: Page): void {
  if (is_zone_device_page(page)) put_page(page, 'migrate')
  else put_page(page, 'lru')
}

/** The same where the migration is given up: an ordinary page goes back to the LRU. */
function put_back(page: Page): void {
  if (is_zone_device_page(page)) put_page(page, 'migrate')
  else putback_lru_page(page)
}

/** Until v5.15: locks what collect could not lock, isolates ordinary pages, and looks for unknown references. */
function migrate_vma_prepare(vma: Vma, src: MigratePfn, fault_page: Page | null): MigratePfn {
  const page = src.page!
  const remap = src.locked
  if (!remap) {
    if (!trylock_page(page)) {
      put_page(page, 'migrate')
      return NOTHING
    }
  }
  const isolated = isolate_source(page)
  if (isolated && migrate_vma_check_page(page, fault_page)) return src
  if (remap || !isolated) {
    if (isolated) putback_source(page)
    if (remap) remove_migration_pte(vma, page, page)
    unlock_source(page, fault_page)
    put_page(page, 'migrate')
  } else {
    unlock_page(page)
    put_back(page)
  }
  return NOTHING
}

/** Until v5.15: the mappings that are left. */
function migrate_vma_unmap(page: Page, fault_page: Page | null): MigratePfn {
  if (page_mapped(page)) try_to_migrate(page)
  if (!page_mapped(page)) {
    if (migrate_vma_check_page(page, fault_page)) return { page, migrate: true, locked: true }
  }
  remove_migration_ptes(page, page)
  unlock_source(page, fault_page)
  put_back(page)
  return NOTHING
}

/** migrate_device_unmap(): isolates an ordinary page, unmaps, and looks for unknown references. */
function migrate_device_unmap(page: Page, fault_page: Page | null): MigratePfn {
  const isolated = isolate_source(page)
  if (isolated) {
    if (page_mapped(page)) try_to_migrate(page)
    if (!page_mapped(page)) {
      if (migrate_vma_check_page(page, fault_page)) return { page, migrate: true, locked: true }
    }
    putback_source(page)
  }
  remove_migration_ptes(page, page)
  unlock_source(page, fault_page)
  put_page(page, 'migrate')
  return NOTHING
}

/**
 * migrate_vma_check_page(): false if somebody unknown holds the page. As long as a thread that waits for a migration entry
 * holds a reference no device-private page is refused; since then a device page may have one more than is known.
 */
function migrate_vma_check_page(page: Page, fault_page: Page | null): boolean {
  if (!change.migration_entry_wait_without_reference && is_zone_device_page(page)) return is_device_private_or_coherent_page(page)
  const extra = 1 + (fault_page === page ? 1 : 0) + (is_zone_device_page(page) ? 1 : 0) + (page.swapcache ? 1 : 0)
  return page_ref_count(page) - extra <= page._mapcount
}

/** migrate_device_pages(): the same without a VMA, so never a hole. */
export function migrate_device_pages(page: Page, dst: Page | null): boolean {
  if (dst === null) return false
  return migrate_device_page(page, dst, false)
}

/** migrate_vma_pages(): true if `dst` is now what `src` was. A hole gets its entry here. */
export function migrate_vma_pages(vma: Vma, src: MigratePfn, dst: Page | null, fault_page: Page | null): boolean {
  if (dst === null) return false
  if (src.page === null) return src.migrate && migrate_vma_insert_page(vma, dst)
  return migrate_device_page(src.page, dst, fault_page === src.page)
}

/**
 * The page of __migrate_device_pages(): a page of the swap cache goes to the device only without the cache.
 * "mm/migrate_device: clear stale mapping after freeing swapcache" (in v7.3, and in 6.12.111) reads the page's mapping again
 * then; before, the mapping of the swap device was passed on although the page had left it.
 */
function migrate_device_page(src: Page, dst: Page, extra: boolean): boolean {
  // page_mapping(), folio_mapping() of an anonymous page.
  let swap_mapping = src.swapcache
  if (swap_mapping && is_zone_device_page(dst)) {
    if (!change.migrate_frees_swap_cache) return false
    if (!folio_free_swap(src)) return false
    if (change.migrate_rereads_mapping) swap_mapping = src.swapcache
  }
  return folio_migrate_mapping(swap_mapping, dst, src, extra)
}

/** migrate_vma_insert_page(): the entry is looked at again under the page-table lock. */
export function migrate_vma_insert_page(vma: Vma, page: Page): boolean {
  let done = false
  mem_cgroup_charge(page, vma.mm)
  if (!pte_offset_map_lock(vma)) return false
  if (vma.pte.kind === 'none') {
    page_add_new_anon_rmap(page)
    if (!is_zone_device_page(page)) lru_cache_add(page)
    get_page(page, 'pte')
    if (is_device_private_page(page)) vma.pte = { kind: 'device_private', page, write: true }
    else vma.pte = { kind: 'present', page, write: true }
    done = true
  }
  spin_unlock(vma.ptl)
  return done
}

/**
 * migrate_vma_finalize(), migrate_device_finalize(): the migration entries go, to the new page or back to the old one; the
 * old page is unlocked and put, then the new one. A new page that is not used goes first.
 * @kernel migrate_device_finalize __migrate_device_finalize
 */
export function migrate_vma_finalize(src: MigratePfn, dst: Page | null, migrated: boolean, fault_page: Page | null): void {
  const page = src.page
  if (page === null) {
    if (dst !== null) put_destination(dst)
    return
  }
  if (!migrated && dst !== null) put_destination(dst)
  const target = migrated && dst !== null ? dst : page
  if (!is_zone_device_page(target)) lru_cache_add(target)
  remove_migration_ptes(page, target)
  unlock_source(page, fault_page)
  put_source(page)
  if (migrated && dst !== null) put_destination(dst)
}

/** unlock_page(), put_page() of the destination: the reference the allocator gave. */
function put_destination(dst: Page): void {
  unlock_page(dst)
  put_page(dst, 'alloc')
}

/**
 * migrate_device_range() of one page: eviction by page frame, best effort. A page that is free, or whose lock is busy, is
 * passed over.
 * @kernel migrate_device_pfn_lock
 */
export function migrate_device_range(page: Page): MigratePfn {
  if (!get_page_unless_zero(page, 'migrate')) return NOTHING
  if (!trylock_page(page)) {
    put_page(page, 'migrate')
    return NOTHING
  }
  return migrate_device_unmap(page, null)
}

/**
 * migrate_device_coherent_page(), migrate_device_coherent_folio(): a coherent page goes to ordinary memory, whoever maps it.
 * The caller's reference goes with it. False if somebody else holds the page.
 */
export function migrate_device_coherent_page(page: Page): boolean {
  lock_page(page)
  const src = migrate_device_unmap(page, null)
  if (src.page === null) return false
  const dpage = alloc_page()
  lock_page(dpage)
  const migrated = migrate_device_pages(page, dpage)
  // copy_highpage()
  if (migrated) dpage.data = page.data
  migrate_vma_finalize(src, dpage, migrated, null)
  return migrated
}
