// The pages of a direct I/O: block/bio.c, lib/iov_iter.c. The buffer is a mapping of a DAX file.
import { folio_put_refs, put_page } from '../include/linux/mm.ts'
import type { Page, Vma } from '../include/linux/mm_types.ts'
import { get_user_pages_fast, pin_user_pages_fast, unpin_user_page } from '../mm/gup.ts'
import { change } from '../switches.ts'

/**
 * bio_iov_iter_get_pages() of a buffer in user memory that the device writes into (a read): iov_iter_get_pages(),
 * iov_iter_get_pages2() take a reference, iov_iter_extract_pages() since v6.5 a pin, all with FOLL_WRITE. Null: the I/O fails.
 */
export function bio_iov_iter_get_pages(buffer: Vma): Page | null {
  return change.bio_pins_pages ? pin_user_pages_fast(buffer) : get_user_pages_fast(buffer, true)
}

/**
 * __bio_release_pages(), when the I/O is complete: put_page(); over folios, with folio_put_refs(), in 6.1.y; and
 * unpin_user_folio() since the pages are pinned.
 * @kernel __bio_release_pages bio_check_pages_dirty bio_dirty_fn
 */
export function bio_release_pages(page: Page): void {
  if (change.bio_pins_pages) unpin_user_page(page)
  else if (change.bio_release_folio_put) folio_put_refs(page, 1, 'gup')
  else put_page(page, 'gup')
}
