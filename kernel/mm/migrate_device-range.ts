// migrate_vma_*() and migrate_device_*() of two pages at once, under one PMD: mm/migrate_device.c of v7.3, where device-private
// folios can be large. Sources are device-private folios and holes; migrations of one page are in migrate_device.ts.
import { BUG_ON, type Int, READ_ONCE, type Word } from 'putpage/model'
import { is_zone_device_page } from '../include/linux/memremap.ts'
import { get_page, get_page_unless_zero, put_page } from '../include/linux/mm.ts'
import type { Page, Pmd, Vma } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { compound_head, folio_nr_pages } from '../include/linux/page-flags.ts'
import { lock_page, trylock_page, unlock_page } from '../include/linux/pagemap.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import {
  folio_split_unmapped,
  insert_huge_pmd,
  lock_page_table,
  pte_alloc_anon,
  set_pmd_migration_entry,
  split_anon_huge_pmd,
  split_folio,
  split_folio_keep_tail,
  unlock_page_table,
} from './huge_memory.ts'
import { folio_migrate_mapping, remove_migration_ptes } from './migrate.ts'
import { migrate_vma_insert_page } from './migrate_device.ts'
import { page_mapped, page_remove_rmap, try_to_migrate } from './rmap.ts'
import { lru_cache_add } from './swap.ts'

/** The src array of two entries: pages (null with `migrate` is a hole), MIGRATE_PFN_MIGRATE, and MIGRATE_PFN_COMPOUND of the first. */
export type SrcRange = Word<{ first: Page | null; migrate: boolean; compound: boolean; second: Page | null; migrate_second: boolean }>

/** The dst array; `compound`: the first is a folio of both. */
export type DstRange = Word<{ first: Page | null; second: Page | null; compound: boolean }>

const NOTHING: SrcRange = { first: null, migrate: false, compound: false, second: null, migrate_second: false }

/** migrate_vma_setup() of the range with MIGRATE_VMA_SELECT_DEVICE_PRIVATE and MIGRATE_VMA_SELECT_COMPOUND. */
export function migrate_range_setup(pmd: Pmd, fault_page: Page | null): SrcRange {
  return migrate_range_unmap(migrate_vma_collect_pmd(pmd, fault_page), fault_page)
}

/** migrate_vma_collect_hole(): nothing is there, and something may be put there: whole, if the whole range is empty. */
const HOLE: SrcRange = { first: null, migrate: true, compound: true, second: null, migrate_second: false }

/** What became of one entry: a page or a hole to migrate, nothing, or it leads to a large folio. */
type Collected = Word<{ what: 'page' | 'hole' | 'nothing' | 'large'; page: Page | null }>

/**
 * migrate_vma_collect_pmd(). The folio of the page whose fault this is is looked up once, and the walk starts again after a
 * folio was split, without the lock: at the entry it was at, if the page table is still there, and if not with the whole range.
 */
function migrate_vma_collect_pmd(pmd: Pmd, fault_page: Page | null): SrcRange {
  let fault_folio = folio_of(fault_page)
  const vma0 = pmd.vmas[0]!
  const vma1 = pmd.vmas[1]!
  let src: SrcRange = NOTHING
  let next: Int<0, 1> = 0
  while (true) {
    const entry = READ_ONCE(pmd.entry)
    if (entry.kind !== 'table') {
      if (change.collect_goes_on_at_addr && next > 0) {
        const hole = entry.kind === 'none'
        return { first: src.first, migrate: src.migrate, compound: false, second: null, migrate_second: hole }
      }
      const huge = migrate_vma_collect_huge_pmd(pmd, fault_folio)
      if (huge.what === 'again') continue
      // Here the kernel goes on, with one entry too many.
      BUG_ON(
        next > 0,
        'migrate->npages > nr_pages',
        'the walk collects the range from its start once more, behind what it has collected: it writes beyond the end of the src and dst arrays',
      )
      if (huge.what === 'hole') return HOLE
      if (huge.what === 'nothing') return src
      return { first: huge.page, migrate: true, compound: true, second: null, migrate_second: false }
    }
    lock_page_table(vma0, vma1)
    if (READ_ONCE(pmd.entry).kind !== 'table') {
      // pte_offset_map_lock() failed.
      unlock_page_table(vma0, vma1)
      continue
    }
    let large: Page | null = null
    if (next === 0) {
      const first = collect_pte(vma0, fault_folio)
      if (first.what === 'large') large = first.page
      else {
        src = { first: first.page, migrate: first.what !== 'nothing', compound: false, second: null, migrate_second: false }
        next = 1
      }
    }
    if (large === null) {
      const second = collect_pte(vma1, fault_folio)
      if (second.what === 'large') large = second.page
      else {
        unlock_page_table(vma0, vma1)
        return { first: src.first, migrate: src.migrate, compound: false, second: second.page, migrate_second: second.what !== 'nothing' }
      }
    }
    // migrate_vma_split_folio() consumes this reference.
    if (large !== fault_folio) get_page(large!, 'migrate')
    unlock_page_table(vma0, vma1)
    if (!migrate_vma_split_folio(large!, fault_page)) return src
    if (change.collect_rereads_fault_folio) fault_folio = folio_of(fault_page)
  }
}

/** page_folio(), of no page none. */
function folio_of(page: Page | null): Page | null {
  let folio: Page | null = null
  if (page !== null) folio = compound_head(page)
  return folio
}

type CollectedHuge = Word<{ what: 'folio' | 'hole' | 'nothing' | 'again'; page: Page | null }>

/** migrate_vma_collect_huge_pmd(): a device-private folio is collected whole. */
function migrate_vma_collect_huge_pmd(pmd: Pmd, fault_folio: Page | null): CollectedHuge {
  spin_lock(pmd.lock)
  const entry = pmd.entry
  if (entry.kind !== 'device_private') {
    spin_unlock(pmd.lock)
    if (entry.kind === 'none') return { what: 'hole', page: null }
    return { what: entry.kind === 'table' ? 'again' : 'nothing', page: null }
  }
  const folio = entry.page!
  get_page(folio, 'migrate')
  if (folio !== fault_folio && !trylock_page(folio)) {
    spin_unlock(pmd.lock)
    put_page(folio, 'migrate')
    return { what: 'nothing', page: null }
  }
  set_pmd_migration_entry(pmd)
  spin_unlock(pmd.lock)
  return { what: 'folio', page: folio }
}

/** One entry of migrate_vma_collect_pmd(): as in migrate_device.ts, but who has faulted is known by its folio. */
function collect_pte(vma: Vma, fault_folio: Page | null): Collected {
  const pte = vma.pte
  if (pte.kind === 'none') return { what: 'hole', page: null }
  if (pte.kind !== 'device_private') return { what: 'nothing', page: null }
  const page = pte.page!
  const folio = compound_head(page)
  if (folio.order === 1) return { what: 'large', page: folio }
  get_page(page, 'migrate')
  if (fault_folio !== page && !trylock_page(page)) {
    put_page(page, 'migrate')
    return { what: 'nothing', page: null }
  }
  vma.pte = { kind: 'migration', page, write: pte.write }
  page_remove_rmap(page)
  put_page(page, 'pte')
  return { what: 'page', page }
}

/**
 * migrate_vma_split_folio(): consumes the caller's reference, unless the folio is that of the fault: then the fault's lock and
 * reference go over to the page the fault is about. Nothing keeps that page between the split and the new reference.
 */
function migrate_vma_split_folio(folio: Page, fault_page: Page | null): boolean {
  const fault_folio = folio_of(fault_page)
  if (change.split_keeps_fault_page && folio === fault_folio && folio !== fault_page) return split_folio_keep_tail(folio)
  if (folio !== fault_folio) lock_page(folio)
  if (!split_folio(folio)) {
    if (folio !== fault_folio) {
      unlock_page(folio)
      put_page(folio, 'migrate')
    }
    return false
  }
  const new_fault_folio = folio_of(fault_page)
  if (new_fault_folio === null) {
    unlock_page(folio)
    put_page(folio, 'migrate')
  } else if (folio !== new_fault_folio) {
    if (new_fault_folio !== fault_folio) {
      get_page(new_fault_folio, 'fault')
      lock_page(new_fault_folio)
      unlock_page(folio)
      put_page(folio, 'fault')
    } else {
      unlock_page(folio)
      put_page(folio, 'migrate')
    }
  }
  return true
}

/** migrate_device_unmap() of the range. */
function migrate_range_unmap(collected: SrcRange, fault_page: Page | null): SrcRange {
  const first = collected.first
  const second = collected.second
  const keep_first = first === null || unmap_folio_of(first, fault_page)
  const keep_second = second === null || unmap_folio_of(second, fault_page)
  if (!keep_first) restore_folio_of(first!, fault_page)
  if (!keep_second) restore_folio_of(second!, fault_page)
  return {
    first: keep_first ? first : null,
    migrate: collected.migrate && keep_first,
    compound: collected.compound,
    second: keep_second ? second : null,
    migrate_second: collected.migrate_second && keep_second,
  }
}

function unmap_folio_of(page: Page, fault_page: Page | null): boolean {
  const folio = compound_head(page)
  if (page_mapped(folio)) try_to_migrate(folio)
  if (page_mapped(folio)) return false
  // migrate_vma_check_page()
  const extra = 1 + (fault_page === page ? 1 : 0) + 1
  return page_ref_count(folio) - extra <= folio._mapcount
}

function restore_folio_of(page: Page, fault_page: Page | null): void {
  const folio = compound_head(page)
  remove_migration_ptes(folio, folio)
  unlock_unless_fault(folio, fault_page)
  put_page(folio, 'migrate')
}

/** The source is unlocked, unless it is the folio of the fault, whose lock is the fault's. */
function unlock_unless_fault(folio: Page, fault_page: Page | null): void {
  if (fault_page !== null && compound_head(fault_page) === folio) return
  unlock_page(folio)
}

/** migrate_device_range(), migrate_device_pfns() of the two pages of a device, by page frame. */
export function migrate_range_by_pfn(page0: Page, page1: Page): SrcRange {
  const first = migrate_device_pfn_lock(page0)
  // The size is that of whatever is at this frame, held or not.
  const large = folio_nr_pages(compound_head(page0)) > 1
  if (large) return migrate_range_unmap({ first, migrate: first !== null, compound: true, second: null, migrate_second: false }, null)
  const second = migrate_device_pfn_lock(page1)
  return migrate_range_unmap({ first, migrate: first !== null, compound: false, second, migrate_second: second !== null }, null)
}

/** migrate_device_pfn_lock(): folio_get_nontail_page() looks at the page's own count, which is 0 for a tail page. */
function migrate_device_pfn_lock(page: Page): Page | null {
  if (!get_page_unless_zero(page, 'migrate')) return null
  if (!trylock_page(page)) {
    put_page(page, 'migrate')
    return null
  }
  return page
}

/** migrate_vma_pages() with a PMD, migrate_device_pages() without: what of the range is at its destination now. */
export function migrate_range_pages(pmd: Pmd | null, from: SrcRange, dst: DstRange, fault_page: Page | null): SrcRange {
  let src = from
  if (src.migrate && src.compound && !dst.compound && dst.first !== null) {
    src = break_up_range(pmd, src, fault_page)
    if (!src.migrate) return src
  }
  const done = src.migrate && dst.first !== null && migrate_first(pmd, src, dst.first, dst.compound, fault_page)
  src = { first: src.first, migrate: done, compound: src.compound, second: src.second, migrate_second: src.migrate_second }
  if (src.compound) return src
  const second_done = src.migrate_second && dst.second !== null && migrate_second(pmd, src.second, dst.second, fault_page)
  return { first: src.first, migrate: src.migrate, compound: false, second: src.second, migrate_second: second_done }
}

/** A large source, or a hole as large, has small destinations: it is one of two pages from here on, or not migrated. */
function break_up_range(pmd: Pmd | null, src: SrcRange, fault_page: Page | null): SrcRange {
  const folio = src.first
  if (folio === null) return { first: null, migrate: true, compound: false, second: null, migrate_second: true }
  if (pmd === null || !migrate_vma_split_unmapped_folio(pmd, folio, fault_page)) {
    return { first: folio, migrate: false, compound: false, second: null, migrate_second: false }
  }
  return { first: folio, migrate: true, compound: false, second: folio.next_page, migrate_second: true }
}

function migrate_first(pmd: Pmd | null, src: SrcRange, dst: Page, compound: boolean, fault_page: Page | null): boolean {
  if (src.first !== null) return folio_migrate_mapping(false, dst, src.first, fault_page === src.first)
  if (pmd === null) return false
  if (compound) return insert_huge_pmd(pmd, dst)
  pte_alloc_anon(pmd)
  return migrate_vma_insert_page(pmd.vmas[0]!, dst)
}

function migrate_second(pmd: Pmd | null, page: Page | null, dst: Page, fault_page: Page | null): boolean {
  if (page !== null) return folio_migrate_mapping(false, dst, page, fault_page === page)
  if (pmd === null) return false
  pte_alloc_anon(pmd)
  return migrate_vma_insert_page(pmd.vmas[1]!, dst)
}

/**
 * migrate_vma_split_unmapped_folio(): a large source whose destination is small. The reference is for the split of the PMD
 * entry, which puts one: if the entry is still there.
 */
function migrate_vma_split_unmapped_folio(pmd: Pmd, folio: Page, fault_page: Page | null): boolean {
  get_page(folio, 'speculative')
  if (!split_anon_huge_pmd(pmd, true)) {
    if (change.split_unmapped_puts_reference) {
      put_page(folio, 'speculative')
      return false
    }
  }
  // The reference of the fault is not expected: of the folio of a fault the split always fails.
  return folio_split_unmapped(folio, change.split_unmapped_expects_fault && fault_page === folio ? 2 : 1)
}

/** migrate_vma_finalize(), migrate_device_finalize() of the range. */
export function migrate_range_finalize(src: SrcRange, dst: DstRange, fault_page: Page | null): void {
  finalize_one(src.first, dst.first, src.migrate, fault_page)
  finalize_one(src.second, dst.second, src.migrate_second, fault_page)
}

function finalize_one(page: Page | null, dst: Page | null, migrated: boolean, fault_page: Page | null): void {
  if (dst !== null && (page === null || !migrated)) {
    unlock_page(dst)
    put_page(dst, 'alloc')
  }
  if (page === null) return
  const folio = compound_head(page)
  const target = migrated && dst !== null ? dst : folio
  if (!is_zone_device_page(target)) lru_cache_add(target)
  remove_migration_ptes(folio, target)
  unlock_unless_fault(folio, fault_page)
  put_page(folio, 'migrate')
  if (migrated && dst !== null) {
    unlock_page(dst)
    put_page(dst, 'alloc')
  }
}
