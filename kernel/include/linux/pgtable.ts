// What the bits of a present entry say: pte_special() and pte_devmap() of arch/x86/include/asm/pgtable.h. The model's entries have
// no such bits: they follow from who inserts entries of pages of this type, and how.
import { change } from '../../switches.ts'
import type { Page } from './mm_types.ts'

/**
 * pte_special(): vm_normal_page() finds no page behind it, so nobody counts it.
 * Since Linux commits 38607c62b34b ("fs/dax: properly refcount fs dax pages") and aed877c2b425 ("device/dax: properly refcount
 * device dax pages when mapping") (in v6.15) DAX entries are ordinary ones.
 */
export function pte_special(page: Page): boolean {
  if (page.type === 'fsdax') return !change.fsdax_entries_ordinary
  if (page.type === 'generic') return !change.generic_mapping_counts
  return false
}

/** pte_devmap(): the bit beside the special one, until Linux commit d438d2734170 ("mm: remove devmap related functions and page table bits"). */
export function pte_devmap(page: Page): boolean {
  return !change.no_devmap_bit && pte_special(page)
}
