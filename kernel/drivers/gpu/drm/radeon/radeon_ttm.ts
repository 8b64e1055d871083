// User memory as a buffer of a GPU: drivers/gpu/drm/radeon/radeon_ttm.c. Read-only buffers may be file mappings.
import type { Page, Vma } from '../../../../include/linux/mm_types.ts'
import { get_user_pages_unlocked } from '../../../../mm/gup.ts'
import { release_pages } from '../../../../mm/swap.ts'

/** radeon_ttm_tt_pin_userptr(), first half: get_user_pages() of the range, without FOLL_WRITE. */
export function radeon_ttm_tt_pin_userptr(userptr: Vma): Page | null {
  return get_user_pages_unlocked(userptr)
}

/** Its error path: a later page, or the scatter list, failed, and what was taken is given back by release_pages(). */
export function radeon_ttm_tt_pin_userptr_failed(page: Page): void {
  release_pages(page, 1, 'gup')
}
