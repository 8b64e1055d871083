// Compound pages: include/linux/page-flags.h, and what mm/page_alloc.c and mm/internal.h have to make them.
import { atomic, type Int } from 'putpage/model'
import { change } from '../../switches.ts'
import type { Page } from './mm_types.ts'
import { set_tail_page_count } from './page_ref.ts'

/** compound_head(), page_folio(): the head of a tail page, else the page. One read; nothing keeps the answer true. */
export function compound_head(page: Page): Page {
  const head = page.compound_head
  if (head !== null) return head
  return page
}

/**
 * prep_compound_page(): two pages become a folio. Of a tail page the word that held the pgmap leads to the head now. The
 * mapcount of the whole begins at none. v5.10 also stores 0 in the count of tail pages.
 */
export function prep_compound_page(head: Page): void {
  const tail = head.next_page!
  if (!change.prep_compound_keeps_count) set_tail_page_count(tail)
  atomic(() => {
    tail.compound_head = head
    tail.pgmap = null
  })
  head._mapcount = 0
  head._pincount = 0
  head.order = 1
}

/** folio_reset_order(), and ClearPageHead(). */
export function folio_reset_order(folio: Page): void {
  folio.order = 0
}

/** folio_nr_pages(). */
export function folio_nr_pages(folio: Page): Int<1, 2> {
  return folio.order === 1 ? 2 : 1
}

/** folio_page(folio, i). */
export function folio_page(folio: Page, i: number): Page {
  return i === 0 ? folio : folio.next_page!
}
