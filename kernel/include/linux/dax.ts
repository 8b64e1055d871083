// What the file systems ask about DAX pages: include/linux/dax.h.
import { change } from '../../switches.ts'
import type { Page } from './mm_types.ts'
import { page_ref_count } from './page_ref.ts'

/**
 * The count of a page nobody holds. Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15),
 * and in the patch as posted in November 2021, it is 0.
 */
export function dax_idle_count(): number {
  return change.fsdax_wake_at_zero ? 0 : 1
}

/**
 * dax_page_is_idle(), and dax_layout_is_idle_page() of the posted patch; before, the file systems compared the count with
 * 1 themselves. What a layout break waits for: a mapping that counts makes it false.
 */
export function dax_page_is_idle(page: Page): boolean {
  return page_ref_count(page) === dax_idle_count()
}
