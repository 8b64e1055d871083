// Ordinary pages, and the counts device pages begin with: mm/page_alloc.c (mm/mm_init.c since v6.1).
import { array, atomic, BUG_ON, expect, type FixedArray, struct, VM_BUG_ON } from 'putpage/model'
import { type DevPagemap, pgmap_private_or_coherent } from '../include/linux/memremap.ts'
import type { Holder, Page } from '../include/linux/mm_types.ts'
import { hold, page_ref_count, page_ref_sub_and_test, set_page_count_one } from '../include/linux/page_ref.ts'
import { prep_compound_page } from '../include/linux/page-flags.ts'
import { change } from '../switches.ts'

/** The buddy allocator of the scenario: the ordinary pages it may hand out. */
class Buddy {
  pages: FixedArray<Page | null, 3> = array(3, null)
}
export const buddy = struct(Buddy)

/** Gives an ordinary page to the allocator; for set-up. */
export function give_to_buddy(slot: number, page: Page): void {
  buddy.pages[slot] = page
  page.buddy = true
}

/** alloc_page_vma(), with __GFP_NOFAIL: the scenario has enough pages, or is wrong. */
export function alloc_page(): Page {
  let got: Page | null = null
  for (let i = 0; i < 3; i++) {
    const page = buddy.pages[i]
    if (got === null && page !== null) {
      if (take_from_buddy(page)) got = page
    }
  }
  BUG_ON(got === null, 'the scenario has too few ordinary pages')
  return got!
}

/** alloc_pages() of a folio of two pages; null if there are no two free ones side by side. */
export function alloc_large_folio(): Page | null {
  for (let i = 0; i < 3; i++) {
    const page = buddy.pages[i]
    if (page !== null && page.next_page !== null) {
      if (take_both_from_buddy(page, page.next_page)) {
        prep_compound_page(page)
        return page
      }
    }
  }
  return null
}

function take_both_from_buddy(page: Page, next: Page): boolean {
  return atomic(() => {
    const got = page.buddy && next.buddy
    if (got) {
      page.buddy = false
      next.buddy = false
      set_page_count_one(page, 'alloc')
    }
    return got
  })
}

function take_from_buddy(page: Page): boolean {
  return atomic(() => {
    let got = false
    if (page.buddy) {
      expect(page.type === 'ram', 'the buddy allocator hands out ordinary pages')
      page.buddy = false
      got = true
      set_page_count_one(page, 'alloc')
    }
    return got
  })
}

/** alloc_page_vma() with __GFP_ZERO. */
export function alloc_zeroed_page(): Page {
  const page = alloc_page()
  page.data = 0
  return page
}

/** __free_page(): a put that does not ask what kind of page it is. */
export function __free_page(page: Page, holder: Holder): void {
  if (page_ref_sub_and_test(page, 1, holder)) free_unref_page(page)
}

/**
 * free_unref_page(): back to the buddy allocator. free_pages_prepare(), PAGE_FLAGS_CHECK_AT_FREE: a page that is locked or on the LRU is
 * told of, and never given out again.
 */
export function free_unref_page(page: Page): void {
  VM_BUG_ON(page_ref_count(page) !== 0, 'page_ref_count(page) != 0')
  const bad = page.lock.owner !== null || page.lru
  VM_BUG_ON(bad, 'BUG: Bad page state', 'a page is freed that is locked or on the LRU: it is lost, as the allocator never gives it out again')
  if (bad) return
  if (page.next_page !== null && page.order === 1) free_tail_page(page)
  atomic(() => {
    page.anon = false
    page.mapping = null
    page.buddy = true
  })
}

/**
 * memmap_init_zone_device() for one page: the common initialisation stores 1, then the type may ask for 0.
 * @kernel __init_zone_device_page __init_single_page
 */
export function memmap_init_zone_device(page: Page, pgmap: DevPagemap): void {
  page.type = pgmap.type
  page.pgmap = pgmap
  let zero = false
  if (pgmap_private_or_coherent(pgmap)) zero = change.private_free_at_zero
  if (pgmap.type === 'fsdax') zero = change.fsdax_free_at_zero
  if (pgmap.type === 'generic') zero = change.generic_free_at_zero
  if (pgmap.type === 'p2pdma') zero = change.p2pdma_free_at_zero
  page._refcount = 1
  if (zero) page._refcount = 0
  else hold(page, 'base')
}

/**
 * memmap_init_compound(): the two pages of a pgmap whose pages are compound ones. The tail's count is 0; the head counts for
 * both. Since Linux commit 14606001efb4 ("device-dax: compound devmap support") (in v5.17).
 */
export function memmap_init_compound(head: Page, tail: Page, pgmap: DevPagemap): void {
  memmap_init_zone_device(head, pgmap)
  tail.type = pgmap.type
  // The way to the head takes the place of the pgmap.
  tail._refcount = 0
  tail.compound_head = head
  head.next_page = tail
  head.order = 1
}

/** free_tail_page_prepare(): the folio is taken apart. */
function free_tail_page(folio: Page): void {
  const tail = folio.next_page!
  atomic(() => {
    tail.compound_head = null
    folio.order = 0
    tail.anon = false
    tail.buddy = true
  })
}
