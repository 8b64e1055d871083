// Which file a page belongs to: the part of fs/dax.c that sets page->mapping when an entry gets a page and clears it when
// the entry goes, counts the files that share a page, and builds folios.
import { struct, WARN_ON_ONCE } from 'putpage/model'
import { dax_idle_count } from '../include/linux/dax.ts'
import type { AddressSpace, DaxEntry } from '../include/linux/fs.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { compound_head, folio_reset_order, prep_compound_page } from '../include/linux/page-flags.ts'
import { Spinlock, spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'

/** In no kernel: one lock for all that files do to the pages they share, whose own i_pages locks are different ones. */
class SharedPages {
  lock = new Spinlock()
}
const shared_pages = struct(SharedPages)

/** The pages of an entry: the second of a PMD entry has its own say until it is a tail of one folio. */
function has_second_page(entry: DaxEntry, mapping: AddressSpace): boolean {
  return mapping.huge && entry.pmd && !change.fsdax_folios
}

/**
 * dax_associate_entry(): the page, or the pages of a PMD entry, now belong to this file. `shared`: the file system says that
 * other files have the extent too.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) a PMD entry is one folio.
 */
export function dax_associate_entry(entry: DaxEntry, mapping: AddressSpace, shared: boolean): void {
  if (entry.kind !== 'pfn') return
  const one_lock = change.dax_share_lock && mapping.reflink !== null
  if (one_lock) spin_lock(shared_pages.lock)
  const first = compound_head(entry.page!)
  for (let i = 0; i < 2; i++) {
    if (i === 1 && !has_second_page(entry, mapping)) continue
    const page = i === 0 ? first : first.next_page!
    if (change.dax_shared_without_marker) {
      if (shared && associate_again(page, entry.pmd)) continue
    } else if (shared) {
      dax_page_share_get(page)
      continue
    }
    WARN_ON_ONCE(page_has_mapping(page), 'page->mapping', 'a page is put into a file while another file, or another index, still has it')
    if (change.fsdax_folios && mapping.huge) dax_folio_init(page, entry.pmd)
    page.mapping = mapping
  }
  if (one_lock) spin_unlock(shared_pages.lock)
}

/** page->mapping is not NULL: a file, or the mark of a shared page. */
function page_has_mapping(page: Page): boolean {
  if (page.mapping !== null) return true
  return !change.dax_shared_without_marker && page.dax_shared
}

/**
 * dax_mapping_set_cow(), dax_page_share_get(): page->mapping becomes a mark, and the files are counted, in page->index at
 * first, in page->share since Linux commit 169004265860 ("fsdax: introduce page->share for fsdax in reflink mode") (in v6.2).
 */
function dax_page_share_get(page: Page): void {
  if (!page.dax_shared) {
    if (page.mapping !== null) page.share = 1
    page.mapping = null
    page.dax_shared = true
  }
  page.share += 1
}

/**
 * The shared half of dax_associate_entry() since Linux commit cbe298d82cf7 (in v6.15): a page is shared if its mapping is NULL
 * and its share count is not 0, so the first file that has it looks like an only one.
 */
function associate_again(folio: Page, pmd: boolean): boolean {
  const only = folio.mapping !== null
  if (!only && folio.share === 0) return false
  if (only) {
    // dax_folio_make_shared()
    folio.mapping = null
    folio.share = 1
  }
  WARN_ON_ONCE(folio.share === 0, '!folio->share', 'two files fault a page they share at once, and one of them lost count')
  if (change.fsdax_folios)
    WARN_ON_ONCE(
      (folio.order === 1) !== pmd,
      'dax_entry_order(entry) != folio_order(folio)',
      'two files have the same pages, one by single pages and one as a folio',
    )
  folio.share += 1
  return true
}

/** dax_folio_init(): the pages of a PMD entry become one folio. They must be single and free. */
function dax_folio_init(page: Page, pmd: boolean): void {
  WARN_ON_ONCE(page.order !== 0, 'folio_order(folio)', 'the page still belongs to a folio that was not taken apart when its last file gave it up')
  if (!pmd) return
  prep_compound_page(page)
  WARN_ON_ONCE(page_ref_count(page) !== dax_rest_count(), 'folio_ref_count(folio)', 'a folio is built of pages that somebody holds')
}

/** The count of an fsdax page nobody has: what memmap initialisation gave it. */
function dax_rest_count(): number {
  return change.fsdax_free_at_zero ? 0 : 1
}

/**
 * dax_disassociate_entry(): the pages leave the file.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) by dax_folio_put(), which wants the
 * folio idle whatever `trunc` says.
 */
export function dax_disassociate_entry(entry: DaxEntry, mapping: AddressSpace, trunc: boolean): void {
  if (entry.kind !== 'pfn') return
  const one_lock = change.dax_share_lock && mapping.reflink !== null
  if (one_lock) spin_lock(shared_pages.lock)
  const first = compound_head(entry.page!)
  for (let i = 0; i < 2; i++) {
    if (i === 1 && !has_second_page(entry, mapping)) continue
    const page = i === 0 ? first : first.next_page!
    // A count that comes to 0 only when nobody maps the page.
    if (change.fsdax_mapping_counts && change.fsdax_free_at_zero) {
      dax_folio_put(page, mapping)
      continue
    }
    // As posted in November 2021 the test follows the helper: a page of a file that is cut off must be idle, at 0.
    if (trunc) {
      WARN_ON_ONCE(
        page_ref_count(page) > dax_idle_count(),
        'trunc && page_ref_count(page) > 1',
        'the page is cut off from its file while somebody holds it: its block is freed, and a device may go on writing into it',
      )
    }
    if (still_shared(page)) continue
    const owner = page.mapping
    WARN_ON_ONCE(owner !== null && owner !== mapping, 'page->mapping && page->mapping != mapping', 'the page belongs to another file by now')
    dax_folio_reset_order(page, mapping)
  }
  if (one_lock) spin_unlock(shared_pages.lock)
}

/** dax_folio_put(): if no other file has the folio, it becomes single pages of nobody; then the debug check of each. */
function dax_folio_put(folio: Page, mapping: AddressSpace): void {
  if (still_shared(folio)) return
  const large = mapping.huge && folio.order === 1
  dax_folio_reset_order(folio, mapping)
  for (let i = 0; i < 2; i++) {
    if (i === 1 && !large) continue
    const page = i === 0 ? folio : folio.next_page!
    WARN_ON_ONCE(
      page_ref_count(page) !== 0,
      'folio_ref_count(folio)',
      'the page leaves its file while somebody holds or maps it: its block can be freed, and a device may go on writing into it',
    )
  }
}

/**
 * Another file has the page still, so that it keeps what it has. Until Linux commit 169004265860 (in v6.2) the count was
 * tested before it fell, and a page nobody had kept the mark. All of it is plain reads and writes under the i_pages lock of
 * this file, which is another one for the other file.
 */
function still_shared(page: Page): boolean {
  if (change.dax_shared_without_marker) {
    if (page.mapping !== null || page.share === 0) return false
    const left = page.share - 1
    page.share = left
    return left !== 0
  }
  if (!page.dax_shared) return false
  const share = page.share
  page.share = share - 1
  if (change.dax_share_count ? share !== 1 : share !== 0) return true
  page.dax_shared = false
  return false
}

/**
 * dax_folio_reset_order(): the folio is single pages of nobody again, each with its pgmap, which was overwritten by the way to
 * the head. Before v6.15 the page's mapping and index are cleared, and no more.
 */
function dax_folio_reset_order(folio: Page, mapping: AddressSpace): void {
  folio.mapping = null
  if (mapping.reflink !== null) folio.share = 0
  if (!(change.fsdax_folios && mapping.huge)) return
  if (folio.order === 0) return
  const tail = folio.next_page!
  folio_reset_order(folio)
  tail.compound_head = null
  tail.mapping = null
  tail.pgmap = folio.pgmap
}
