// Device-dax: drivers/dax/device.c, drivers/dax/bus.c. Pages of type MEMORY_DEVICE_GENERIC behind a character device; its
// inode's mapping has VMAs but no entries.
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { DevPagemap } from '../../include/linux/memremap.ts'
import type { Page, Vma } from '../../include/linux/mm_types.ts'
import { compound_head } from '../../include/linux/page-flags.ts'
import { down_read, down_write, up_read, up_write } from '../../include/linux/rwsem.ts'
import { type FaultResult, unmap_mapping_pages, vmf_insert_mixed, vmf_insert_page_mkwrite } from '../../mm/memory.ts'
import { memunmap_pages } from '../../mm/memremap.ts'
import { change } from '../../switches.ts'

/**
 * dev_dax_huge_fault(), __dev_dax_pte_fault(). The device's lock stands for dax_read_lock(), an SRCU read section.
 * Since Linux commit aed877c2b425 ("device/dax: properly refcount device dax pages when mapping") (in v6.15) the entry of
 * the page table holds a reference.
 */
export function dev_dax_fault(vma: Vma, write: boolean): FaultResult {
  const inode = vma.file!
  down_read(inode.invalidate_lock)
  const result = dev_dax_insert_pfn(vma, inode.blocks[vma.index], write)
  up_read(inode.invalidate_lock)
  return result
}

/** dax_set_mapping(), without a lock: the first file that maps the page keeps it. v5.10 does so after it set the entry. */
function dax_set_mapping(page: Page, inode: AddressSpace): void {
  const folio = compound_head(page)
  if (folio.mapping === null) folio.mapping = inode
}

function dev_dax_insert_pfn(vma: Vma, page: Page | null, write: boolean): FaultResult {
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
  for (let i = 0; i < 2; i++) inode.blocks[i] = null
  // synchronize_srcu(&dax_srcu)
  down_write(inode.invalidate_lock)
  up_write(inode.invalidate_lock)
  for (let i = 0; i < 2; i++) unmap_mapping_pages(inode, i)
}

/** Unbinding the device: kill_dev_dax(), then devm_memremap_pages_release(). */
export function unregister_dev_dax(inode: AddressSpace, pgmap: DevPagemap): void {
  kill_dev_dax(inode)
  memunmap_pages(pgmap, 1)
}
