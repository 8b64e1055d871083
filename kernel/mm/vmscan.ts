// Isolation of pages from the LRU: mm/vmscan.c.
import { atomic, VM_BUG_ON } from 'putpage/model'
import { get_page, put_page } from '../include/linux/mm.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_count, page_ref_inc } from '../include/linux/page_ref.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { lru_cache_add, lru_lists } from './swap.ts'

/**
 * isolate_lru_page(), folio_isolate_lru(): takes the page off the LRU, with a reference of its own. False if somebody else
 * has it off.
 * Until v5.11 all of it is under the lru_lock, and the flag is read and cleared in two steps; since then its bit decides.
 */
export function isolate_lru_page(page: Page): boolean {
  VM_BUG_ON(page_ref_count(page) === 0, '!page_count(page)', 'a page is isolated that nobody holds')
  if (lru_lists.tracked && !change.compaction_references_first) return isolate_under_lru_lock(page)
  if (lru_lists.tracked && !TestClearPageLRU(page)) return false
  page_ref_inc(page, 'lru')
  return true
}

function isolate_under_lru_lock(page: Page): boolean {
  if (!PageLRU(page)) return false
  spin_lock(lru_lists.lru_lock)
  const isolated = PageLRU(page)
  if (isolated) {
    get_page(page, 'lru')
    page.lru = false
  }
  spin_unlock(lru_lists.lru_lock)
  return isolated
}

/** PageLRU(), folio_test_lru(). */
export function PageLRU(page: Page): boolean {
  return lru_lists.tracked && page.lru
}

/** TestClearPageLRU(), folio_test_clear_lru(). @primitive */
export function TestClearPageLRU(page: Page): boolean {
  return atomic(() => {
    const was = page.lru
    page.lru = false
    return was
  })
}

/** putback_lru_page(), folio_putback_lru(). */
export function putback_lru_page(page: Page): void {
  lru_cache_add(page)
  put_page(page, 'lru')
}
