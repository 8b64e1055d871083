// The swap cache, as far as migration meets it: mm/swap_state.c, folio_free_swap() of mm/swapfile.c. One slot.
import { atomic, type Guarded, type Int, struct } from 'putpage/model'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_inc, page_ref_sub_return } from '../include/linux/page_ref.ts'
import { Spinlock, spin_lock, spin_unlock } from '../include/linux/spinlock.ts'

/** swap_address_space(): the i_pages of the swap device, and its lock; the swap map's count of the slot. */
class SwapSpace {
  lock = new Spinlock()
  slot: Guarded<Page | null, 'lock'> = null
  /** Swap entries in page tables that still lead to the slot: swap_swapcount(). */
  swapcount: Int<0, 1> = 0
}
export const swap_space = struct(SwapSpace)

/** add_to_swap_cache(): the cache holds a reference. */
export function add_to_swap_cache(page: Page): void {
  spin_lock(swap_space.lock)
  page_ref_inc(page, 'cache')
  page.swapcache = true
  swap_space.slot = page
  spin_unlock(swap_space.lock)
}

/** delete_from_swap_cache(). The caller holds a reference of its own, so that this is never the last one. */
function delete_from_swap_cache(page: Page): void {
  spin_lock(swap_space.lock)
  atomic(() => {
    swap_space.slot = null
    page.swapcache = false
  })
  spin_unlock(swap_space.lock)
  page_ref_sub_return(page, 1, 'cache')
}

/** folio_free_swap(), with the page locked: the page leaves the swap cache, unless some entry still leads to its slot. */
export function folio_free_swap(page: Page): boolean {
  if (!page.swapcache || swap_space.swapcount !== 0) return false
  delete_from_swap_cache(page)
  return true
}
