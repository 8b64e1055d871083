// Isolation of pages from the LRU: mm/vmscan.c.
import { atomic, VM_BUG_ON } from 'putpage/model'
import { put_page } from '../include/linux/mm.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_count, page_ref_inc } from '../include/linux/page_ref.ts'
import { lru_cache_add, lru_lists } from './swap.ts'

/**
 * isolate_lru_page(), folio_isolate_lru(): takes the page off the LRU, with a reference of its own. False if somebody else
 * has it off. The lru_lock, under which v5.10 does all of it, adds nothing: the flag's bit decides.
 */
export function isolate_lru_page(page: Page): boolean {
  VM_BUG_ON(page_ref_count(page) === 0, '!page_count(page)', 'a page is isolated that nobody holds')
  if (lru_lists.tracked && !TestClearPageLRU(page)) return false
  page_ref_inc(page, 'lru')
  return true
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
