// Who goes over physical memory and takes references of what he finds there: mm/compaction.c, mm/page_idle.c.
//
// Device pages are met only by accident: they are not online memory. In v5.10 the question is asked for a whole section, so that
// a device page that shares its section with ordinary memory seems to be online; in the model every device page does. They are
// never on the LRU either, which is what keeps these scanners away.
import { type Int, struct } from 'putpage/model'
import { is_zone_device_page } from '../include/linux/memremap.ts'
import { get_page_unless_zero, put_page } from '../include/linux/mm.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { get_dev_pagemap, put_dev_pagemap } from './memremap.ts'
import { lru_lists } from './swap.ts'
import { PageLRU, putback_lru_page, TestClearPageLRU } from './vmscan.ts'

/** struct compact_control, and what of a scan a scenario wants to know. */
class CompactControl {
  total_migrate_scanned: Int<0, 3> = 0
  nr_migratepages: Int<0, 1> = 0
}
export const cc = struct(CompactControl)

/**
 * pfn_to_online_page(): not for device pages.
 * Since "mm: teach pfn_to_online_page() about ZONE_DEVICE section collisions" (in v5.12) for none whose pgmap is found: once that is
 * killed, they seem to be online again.
 */
function pfn_to_online_page(page: Page): boolean {
  if (!change.online_sections_know_devices || !is_zone_device_page(page)) return true
  const pgmap = get_dev_pagemap()
  if (pgmap === null) return true
  put_dev_pagemap(pgmap)
  return false
}

/** isolate_migratepages_block() of one anonymous page, and putback_movable_pages() of what it isolated: it is not migrated here. */
export function compact_page(page: Page): void {
  if (!isolate_migratepages_block(page)) return
  cc.nr_migratepages = 1
  putback_lru_page(page)
  cc.nr_migratepages = 0
}

function isolate_migratepages_block(page: Page): boolean {
  if (!pfn_to_online_page(page)) return false
  cc.total_migrate_scanned += 1
  if (change.scanners_test_lru && !PageLRU(page)) return false
  if (!change.compaction_references_first) {
    // Somebody unknown holds the page, which can then not be migrated: an admittedly racy look, here without a reference.
    if (!page_mapping(page) && page_ref_count(page) > page._mapcount) return false
    spin_lock(lru_lists.lru_lock)
    const isolated = __isolate_lru_page(page)
    spin_unlock(lru_lists.lru_lock)
    return isolated
  }
  if (!get_page_unless_zero(page, 'lru')) return false
  const pinned = !page_mapping(page) && page_ref_count(page) - 1 > page._mapcount
  if (pinned || !TestClearPageLRU(page)) {
    put_page(page, 'lru')
    return false
  }
  return true
}

/** PageLRU() again, then __isolate_lru_page(): until v5.11, under the lru_lock. The flag goes when the reference is there. */
function __isolate_lru_page(page: Page): boolean {
  if (change.scanners_test_lru && !PageLRU(page)) return false
  if (!get_page_unless_zero(page, 'lru')) return false
  page.lru = false
  return true
}

/** page_mapping(): true if the page is in a cache. */
function page_mapping(page: Page): boolean {
  return page.swapcache || page.mapping !== null
}

/** page_idle_get_page(), page_idle_get_folio(): a reference of a page of the LRU, for a short look at who uses it. */
export function page_idle_look(page: Page): void {
  if (!pfn_to_online_page(page)) return
  cc.total_migrate_scanned += 1
  if (change.scanners_test_lru && !PageLRU(page)) return
  if (!get_page_unless_zero(page, 'speculative')) return
  put_page(page, 'speculative')
}
