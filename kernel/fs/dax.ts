// Page faults of DAX files: the part of fs/dax.c that puts pages into the file and into page tables.
import { WARN_ON_ONCE } from 'putpage/model'
import type { AddressSpace, DaxEntry } from '../include/linux/fs.ts'
import { put_page } from '../include/linux/mm.ts'
import type { Page, Vma } from '../include/linux/mm_types.ts'
import { page_ref_count, page_ref_inc } from '../include/linux/page_ref.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { type FaultResult, vmf_insert_mixed, vmf_insert_page_mkwrite } from '../mm/memory.ts'
import { change } from '../switches.ts'
import { dax_lock_entry, dax_unlock_entry, grab_mapping_entry } from './dax-entry.ts'
import { iomap_iter } from './iomap/iter.ts'

/** dax_associate_entry(): the page now belongs to this file. */
export function dax_associate_entry(entry: DaxEntry, mapping: AddressSpace): void {
  if (entry.kind !== 'pfn') return
  const page = entry.page!
  WARN_ON_ONCE(page.mapping !== null, 'page->mapping', 'a page is put into a file while another file, or another index, still has it')
  page.mapping = mapping
}

/**
 * dax_disassociate_entry(): the page leaves the file.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) by dax_folio_put(), which wants
 * the count at 0 whatever `trunc` says.
 */
export function dax_disassociate_entry(entry: DaxEntry, mapping: AddressSpace, trunc: boolean): void {
  if (entry.kind !== 'pfn') return
  const page = entry.page!
  // A count that comes to 0 only when nobody maps the page.
  if (change.fsdax_mapping_counts && change.fsdax_free_at_zero) {
    dax_folio_put(page)
    return
  }
  // As posted in November 2021 the test follows the helper: a page of a file that is cut off must be idle, at 0.
  const idle = change.fsdax_wake_at_zero ? 0 : 1
  if (trunc) {
    WARN_ON_ONCE(
      page_ref_count(page) > idle,
      'trunc && page_ref_count(page) > 1',
      'the page is cut off from its file while somebody holds it: its block is freed, and a device may go on writing into it',
    )
  }
  const owner = page.mapping
  WARN_ON_ONCE(owner !== null && owner !== mapping, 'page->mapping && page->mapping != mapping', 'the page belongs to another file by now')
  page.mapping = null
}

/** dax_folio_put() of a folio that is not shared: dax_folio_reset_order(), then the debug check. */
function dax_folio_put(folio: Page): void {
  folio.mapping = null
  WARN_ON_ONCE(
    page_ref_count(folio) !== 0,
    'folio_ref_count(folio)',
    'the page leaves its file while somebody holds or maps it: its block can be freed, and a device may go on writing into it',
  )
}

/** dax_insert_entry(): an empty entry gets its page; one that has a page is left alone. It stays locked. */
function dax_insert_entry(mapping: AddressSpace, index: number, entry: DaxEntry, page: Page): DaxEntry {
  if (entry.kind !== 'empty') return entry
  const new_entry: DaxEntry = { kind: 'pfn', page, locked: false, pmd: false }
  spin_lock(mapping.i_pages_lock)
  dax_disassociate_entry(entry, mapping, false)
  dax_associate_entry(new_entry, mapping)
  const old = mapping.entries[index]
  dax_lock_entry(mapping, index, new_entry)
  WARN_ON_ONCE(
    !(old.kind === 'empty' && old.locked),
    'old != xa_mk_value(xa_to_value(entry) | DAX_LOCKED)',
    'somebody changed the entry that this fault has locked',
  )
  spin_unlock(mapping.i_pages_lock)
  return new_entry
}

/**
 * dax_fault_iter(), from the insertion into page tables on.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) the entry counts. The page may be
 * at 0, which insert_page() refuses: a reference is added blindly before and given back after.
 * @kernel dax_fault_iter
 */
function dax_insert_pfn(vma: Vma, page: Page, write: boolean): FaultResult {
  if (!change.fsdax_mapping_counts) {
    vmf_insert_mixed(vma, page, write)
    return 'done'
  }
  // Where it rests at 1 nothing has to be added to insert it.
  if (change.fsdax_free_at_zero) page_ref_inc(page, 'insert')
  const inserted = vmf_insert_page_mkwrite(vma, page, write)
  if (change.fsdax_free_at_zero) put_page(page, 'insert')
  return inserted ? 'done' : 'sigbus'
}

/** dax_iomap_pte_fault(), under mmap_lock and the file system's fault lock. */
export function dax_iomap_pte_fault(vma: Vma, write: boolean): FaultResult {
  const mapping = vma.file!
  if (vma.index >= mapping.i_size) return 'sigbus'
  const entry = grab_mapping_entry(mapping, vma.index)
  const page = iomap_iter(mapping, vma.index, write)
  if (page === null) {
    dax_unlock_entry(mapping, vma.index, entry)
    return 'sigbus'
  }
  const inserted = dax_insert_entry(mapping, vma.index, entry, page)
  const result = dax_insert_pfn(vma, page, write)
  dax_unlock_entry(mapping, vma.index, inserted)
  return result
}
