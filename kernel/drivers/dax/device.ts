// Device-dax: drivers/dax/device.c, drivers/dax/bus.c. Pages of type MEMORY_DEVICE_GENERIC behind a character device; its
// inode's mapping has VMAs but no entries.
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { DevPagemap } from '../../include/linux/memremap.ts'
import type { Page, Vma } from '../../include/linux/mm_types.ts'
import { compound_head } from '../../include/linux/page-flags.ts'
import { srcu_read_lock, srcu_read_unlock } from '../../include/linux/srcu.ts'
import { vmf_insert_folio_pmd, vmf_insert_pfn_pmd } from '../../mm/huge_memory-pmd.ts'
import { type FaultResult, unmap_mapping_range, vmf_insert_mixed, vmf_insert_page_mkwrite } from '../../mm/memory.ts'
import { memremap_pages, memunmap_pages } from '../../mm/memremap.ts'
import { change } from '../../switches.ts'
import { dax_dev, kill_dax } from './super.ts'

/**
 * dev_dax_probe() of an instance with `nr` pages; its align is the size of a PMD if the inode says `huge`.
 * Since Linux commit 14606001efb4 ("device-dax: compound devmap support") (in v5.17) its pages then are compound ones.
 */
export function dev_dax_probe(inode: AddressSpace, pgmap: DevPagemap, nr: number): void {
  if (change.device_dax_compound && inode.huge) pgmap.vmemmap_shift = 1
  memremap_pages(pgmap, nr)
}

/** dev_dax_huge_fault() of PMD order, between dax_read_lock() and dax_read_unlock(). */
export function dev_dax_huge_fault(vma: Vma, write: boolean): FaultResult {
  srcu_read_lock(dax_dev.dax_srcu)
  const result = __dev_dax_pmd_fault(vma, write)
  srcu_read_unlock(dax_dev.dax_srcu)
  return result
}

/** __dev_dax_pmd_fault(). An entry counts as those of single pages do; v6.15 wants a folio of the whole for that. */
function __dev_dax_pmd_fault(vma: Vma, write: boolean): FaultResult {
  if (!dax_dev.alive) return 'sigbus'
  const inode = vma.file!
  const page = inode.blocks[0]
  if (page === null) return 'sigbus'
  // Only the head of compound pages has a mapping.
  dax_set_mapping(page, inode)
  if (page.order === 0) dax_set_mapping(page.next_page!, inode)
  if (!change.generic_mapping_counts) {
    vmf_insert_pfn_pmd(vma, page, write)
    return 'done'
  }
  return vmf_insert_folio_pmd(vma, compound_head(page), write) ? 'done' : 'sigbus'
}

/** dev_dax_fault(): dev_dax_huge_fault() of a single page. */
export function dev_dax_fault(vma: Vma, write: boolean): FaultResult {
  srcu_read_lock(dax_dev.dax_srcu)
  const result = __dev_dax_pte_fault(vma, write)
  srcu_read_unlock(dax_dev.dax_srcu)
  return result
}

/** dax_set_mapping(), without a lock: the first file that maps the page keeps it. v5.10 does so after it set the entry. */
function dax_set_mapping(page: Page, inode: AddressSpace): void {
  const folio = compound_head(page)
  if (folio.mapping === null) folio.mapping = inode
}

/**
 * __dev_dax_pte_fault(): check_vma() fails once the device is dead.
 * Since Linux commit aed877c2b425 ("device/dax: properly refcount device dax pages when mapping") (in v6.15) the entry of
 * the page table holds a reference.
 */
function __dev_dax_pte_fault(vma: Vma, write: boolean): FaultResult {
  if (!dax_dev.alive) return 'sigbus'
  // An instance of larger align maps nothing smaller.
  if (vma.file!.huge) return 'sigbus'
  // dax_pgoff_to_phys()
  const page = vma.file!.blocks[vma.index]
  if (page === null) return 'sigbus'
  dax_set_mapping(page, vma.file!)
  if (!change.generic_mapping_counts) {
    vmf_insert_mixed(vma, page, write)
    return 'done'
  }
  return vmf_insert_page_mkwrite(vma, page, write) ? 'done' : 'sigbus'
}

/** kill_dev_dax(): kill_dax() makes every later fault fail and waits for those under way; then every mapping goes. */
function kill_dev_dax(inode: AddressSpace): void {
  kill_dax()
  unmap_mapping_range(inode, 0, 1)
}

/** Unbinding the device of `nr` pages: kill_dev_dax(), then devm_memremap_pages_release(). */
export function unregister_dev_dax(inode: AddressSpace, pgmap: DevPagemap, nr = 1): void {
  kill_dev_dax(inode)
  memunmap_pages(pgmap, nr)
}
