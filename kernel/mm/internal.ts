// What mm/ shares within itself: mm/internal.h, with the parts of mm/page_alloc.c and mm/huge_memory.c that make and unmake
// folios out of pages.
import { atomic } from 'putpage/model'
import type { Page } from '../include/linux/mm_types.ts'

/**
 * __split_folio_to_order() to single pages, with the count frozen: the page behind the first takes its flags, among them
 * PG_locked, its mapping and its charge, and is a page of its own; that word of it was the pgmap once, and is NULL now.
 */
export function split_folio_to_order(folio: Page): void {
  const tail = folio.next_page!
  tail.lock.owner = folio.lock.owner
  tail.anon = folio.anon
  tail.memcg = folio.memcg
  // clear_compound_head()
  atomic(() => {
    tail.compound_head = null
    tail.pgmap = null
  })
  // ClearPageCompound()
  folio.order = 0
}
