// Last puts and batched puts: mm/swap.c (mm/folio.c in v7.3).
import { struct, VM_BUG_ON } from 'putpage/model'
import { comes_to_free_zone_device_page, is_zone_device_page, page_is_devmap_managed } from '../include/linux/memremap.ts'
import type { Holder, Page } from '../include/linux/mm_types.ts'
import { page_ref_sub_and_test } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { percpu_ref_put } from '../include/linux/percpu-refcount.ts'
import { Spinlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { mem_cgroup_uncharge } from './memcontrol.ts'
import { free_zone_device_page, put_devmap_managed_page_refs } from './memremap.ts'
import { free_unref_page } from './page_alloc.ts'

/** The lists of the LRU. Scenarios in which somebody beside migration isolates pages track the flag; in others isolation always works. */
class LruLists {
  tracked = false
  /** pgdat->lru_lock. Since v5.11 who clears PG_lru has the page, and the lock guards the lists alone, which the model does not have. */
  lru_lock = new Spinlock()
}
export const lru_lists = struct(LruLists)

/** lru_cache_add(), folio_add_lru(): without the per-CPU batch, which would hold a reference until it is drained. */
export function lru_cache_add(page: Page): void {
  if (!lru_lists.tracked) return
  VM_BUG_ON(page.lru, 'PageLRU(page)', 'a page is put on the LRU that is there already: two have taken it off, and both bring it back')
  page.lru = true
}

/** __page_cache_release(): a page that is freed leaves the LRU. */
function __page_cache_release(page: Page): void {
  if (lru_lists.tracked) page.lru = false
}

/**
 * __put_page(): the count came to 0.
 * Until Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) a device page
 * gets here only after memunmap_pages() dropped its base reference, and then gives back its pgmap reference.
 * @reference
 */
export function __put_page(page: Page): void {
  if (is_zone_device_page(page)) {
    if (comes_to_free_zone_device_page(page.type)) free_zone_device_page(page)
    else percpu_ref_put(page.pgmap!.ref)
    return
  }
  __page_cache_release(page)
  mem_cgroup_uncharge(page)
  free_unref_page(page)
}

/** __folio_put(). @reference */
export function __folio_put(page: Page): void {
  __put_page(page)
}

/**
 * release_pages() of one page: the batched puts of the mmu gather and of unpin_user_pages() before v5.18 end here.
 * Since Linux commit c5d6c45e90c4 ("mm/swap: fix release_pages() when releasing devmap pages") (in v5.3) the hook of
 * put_page() is asked first. In v5.10 a device page without the hook that comes to 0 is handed to the buddy allocator.
 * @kernel folios_put_refs @reference
 */
export function release_pages(small: Page, refs: number, holder: Holder): void {
  const page = compound_head(small)
  if (change.release_pages_devmap_hook && page_is_devmap_managed(page)) {
    put_devmap_managed_page_refs(page, refs, holder)
    return
  }
  if (!page_ref_sub_and_test(page, refs, holder)) return
  if (is_zone_device_page(page)) {
    if (comes_to_free_zone_device_page(page.type)) free_zone_device_page(page)
    else VM_BUG_ON(true, 'Bad page state', 'a device page is handed to the buddy allocator, which may give it to anybody')
    return
  }
  __page_cache_release(page)
  mem_cgroup_uncharge(page)
  free_unref_page(page)
}
