// What the bits of a present entry say: pte_special() and pte_devmap() of arch/x86/include/asm/pgtable.h. The model's entries have
// no such bits: they follow from the file that is mapped, and how its entries are inserted. No page is looked at: it may be gone.
import { change } from '../../switches.ts'
import type { Vma } from './mm_types.ts'

/**
 * pte_special(): vm_normal_page() finds no page behind it, so nobody counts it.
 * Since Linux commits 38607c62b34b ("fs/dax: properly refcount fs dax pages") and aed877c2b425 ("device/dax: properly refcount
 * device dax pages when mapping") (in v6.15) DAX entries are ordinary ones.
 */
export function pte_special(vma: Vma): boolean {
  const file = vma.file
  if (file === null || file.kind === 'p2pmem') return false
  if (file.kind === 'dev_dax') return !change.generic_mapping_counts
  return !change.fsdax_entries_ordinary
}

/** pte_devmap(): the bit beside the special one, until Linux commit d438d2734170 ("mm: remove devmap related functions and page table bits"). */
export function pte_devmap(vma: Vma): boolean {
  return !change.no_devmap_bit && pte_special(vma)
}
