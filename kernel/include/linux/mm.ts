// Page references as most of the kernel takes and gives them: include/linux/mm.h.
import { WARN_ON_ONCE } from 'putpage/model'
import { put_devmap_managed_page_refs } from '../../mm/memremap.ts'
import { __folio_put, __put_page } from '../../mm/swap.ts'
import { change } from '../../switches.ts'
import { page_is_devmap_managed } from './memremap.ts'
import type { Holder, Page } from './mm_types.ts'
import { get_page_checked, page_ref_add_unless, page_ref_count, page_ref_inc, page_ref_sub_and_test } from './page_ref.ts'
import { compound_head } from './page-flags.ts'

/** get_page(), folio_get(). With CONFIG_DEBUG_VM a get on a free page is a bug; without, it resurrects the page. @reference */
export function get_page(page: Page, holder: Holder): void {
  get_page_checked(compound_head(page), holder)
}

/** try_get_page(): a load and an increment, two steps; safe only while the caller knows of another reference. @reference */
export function try_get_page(small: Page, holder: Holder): boolean {
  const page = compound_head(small)
  if (
    WARN_ON_ONCE(
      page_ref_count(page) <= 0,
      'page_ref_count(page) <= 0',
      'the page that get_user_pages() meets has a count of 0: to the count nobody holds it, so no reference can be taken, and the I/O fails',
    )
  )
    return false
  page_ref_inc(page, holder)
  return true
}

/** get_page_unless_zero(), folio_try_get(). @reference */
export function get_page_unless_zero(page: Page, holder: Holder): boolean {
  return page_ref_add_unless(page, 0, holder)
}

/**
 * put_page() of `refs` references (1, or one pin).
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) there is no hook.
 * @reference
 */
export function put_page_refs(small: Page, refs: number, holder: Holder): void {
  const page = compound_head(small)
  if (page_is_devmap_managed(page)) {
    put_devmap_managed_page_refs(page, refs, holder)
    return
  }
  folio_put_refs(page, refs, holder)
}

/** put_page(). @reference */
export function put_page(page: Page, holder: Holder): void {
  put_page_refs(page, 1, holder)
}

/** folio_put_refs(), and the tail of put_page(): knows nothing of fsdax pages that rest at 1. @reference */
export function folio_put_refs(page: Page, refs: number, holder: Holder): void {
  if (page_ref_sub_and_test(page, refs, holder)) {
    if (change.gup_put_folio) __folio_put(page)
    else __put_page(page)
  }
}

/** folio_put(). @reference */
export function folio_put(page: Page, holder: Holder): void {
  folio_put_refs(page, 1, holder)
}
