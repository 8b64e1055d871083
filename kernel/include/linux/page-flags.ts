// Compound pages: include/linux/page-flags.h, and what mm/page_alloc.c and mm/internal.h have to make them.
import type { Page } from './mm_types.ts'

/** compound_head(), page_folio(): the head of a tail page, else the page. One read; nothing keeps the answer true. */
export function compound_head(page: Page): Page {
  const head = page.compound_head
  if (head !== null) return head
  return page
}
