// The entry of a page, locked by who found the page and not its file: the part of fs/dax.c that memory failure uses.
import { BUG_ON, type Int, READ_ONCE } from 'putpage/model'
import type { AddressSpace } from '../include/linux/fs.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { change } from '../switches.ts'
import { dax_lock_entry, dax_unlock_entry, wait_entry_unlocked } from './dax-entry.ts'

/** What was locked: an index of the file, nothing that could be (the file has no entry), or there is no file. */
export type DaxCookie = Int<-2, 1>
export const NO_FILE = -2
const NO_ENTRY = -1

/**
 * dax_lock_page(), dax_lock_folio(): locks the entry of the page's file, which is looked at again under its i_pages lock. RCU
 * keeps the inode meanwhile; files of the model never go.
 */
export function dax_lock_page(page: Page): DaxCookie {
  while (true) {
    BUG_ON(page.anon, 'mapping->host', 'the mapping of an anonymous page is taken for that of a file: page->mapping leads to an anon_vma, with its low bit set')
    const mapping = READ_ONCE(page.mapping)
    // PAGE_MAPPING_DAX_COW, PAGE_MAPPING_DAX_SHARED, a number where a pointer is expected.
    BUG_ON(!change.dax_shared_without_marker && page.dax_shared, 'mapping->host', 'the mark of a page that files share is taken for a file')
    if (mapping === null) return NO_FILE
    spin_lock(mapping.i_pages_lock)
    if (mapping !== page.mapping) {
      spin_unlock(mapping.i_pages_lock)
      continue
    }
    const index: Int<0, 1> = mapping.entries[1].page === page ? 1 : 0
    const entry = mapping.entries[index]
    if (entry.locked) {
      wait_entry_unlocked(mapping, index)
      continue
    }
    dax_lock_entry(mapping, index, entry)
    spin_unlock(mapping.i_pages_lock)
    return index
  }
}

/** dax_unlock_page(), dax_unlock_folio(): the page's file is read once more. */
export function dax_unlock_page(page: Page, cookie: DaxCookie): void {
  const mapping = page.mapping
  BUG_ON(mapping === null, 'mapping->host', 'the page has no file of its own any more: another file that shares it came meanwhile')
  dax_unlock_mapping_entry(mapping!, cookie)
}

/**
 * dax_lock_mapping_entry(): locks the entry of an index. One that has no page is none of the caller's business, and is not locked:
 * a page may come there at any time.
 */
export function dax_lock_mapping_entry(mapping: AddressSpace, index: Int<0, 1>): DaxCookie {
  while (true) {
    spin_lock(mapping.i_pages_lock)
    const entry = mapping.entries[index]
    if (entry.locked) {
      wait_entry_unlocked(mapping, index)
      continue
    }
    if (entry.kind !== 'pfn') {
      spin_unlock(mapping.i_pages_lock)
      return NO_ENTRY
    }
    dax_lock_entry(mapping, index, entry)
    spin_unlock(mapping.i_pages_lock)
    return index
  }
}

/** dax_unlock_mapping_entry(). */
export function dax_unlock_mapping_entry(mapping: AddressSpace, cookie: DaxCookie): void {
  if (cookie < 0) return
  const index: Int<0, 1> = cookie === 1 ? 1 : 0
  dax_unlock_entry(mapping, index, READ_ONCE(mapping.entries[index]))
}
