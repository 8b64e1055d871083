// Memory of PCI devices that other devices may use: drivers/pci/p2pdma.c. One device with one BAR of at most two pages.
import { BUG_ON, retire, struct, VM_WARN_ON } from 'putpage/model'
import { KernfsNode, kernfs_fop_mmap, kernfs_remove } from '../../fs/kernfs/file.ts'
import { AddressSpace } from '../../include/linux/fs.ts'
import type { DevPagemap } from '../../include/linux/memremap.ts'
import { put_page } from '../../include/linux/mm.ts'
import type { Page, Vma } from '../../include/linux/mm_types.ts'
import { page_ref_count, set_page_count_one, set_page_count_zero } from '../../include/linux/page_ref.ts'
import { percpu_ref_get, percpu_ref_put, percpu_ref_tryget_live_rcu } from '../../include/linux/percpu-refcount.ts'
import { rcu_read_lock, rcu_read_unlock, synchronize_rcu } from '../../include/linux/rcupdate.ts'
import { GenPool, gen_pool_alloc_owner, gen_pool_destroy, gen_pool_free_owner } from '../../lib/genalloc.ts'
import { vm_insert_page } from '../../mm/memory.ts'
import { memremap_pages, memunmap_pages } from '../../mm/memremap.ts'
import { mmap_region } from '../../mm/mmap.ts'
import { change } from '../../switches.ts'

/** struct pci_dev: what p2pdma keeps in it. */
class PciDev {
  /** pdev->p2pdma, which leads to the pool. Read under RCU. */
  p2pdma: GenPool | null = null
  /** The pgmap of the BAR, in memory that devm_kzalloc() gave; its reference is the owner of the pool's chunk. */
  pgmap: DevPagemap | null = null
  /** The sysfs file p2pmem/allocate. */
  alloc_attr = new KernfsNode()
}
export const pdev = struct(PciDev)
export const p2pmem_pool = struct(GenPool)
/** The inode of the sysfs file: its mapping has VMAs but no entries. */
export const p2pmem_inode: AddressSpace = struct(AddressSpace, { kind: 'p2pmem' })

/** Set-up: pci_p2pdma_setup(), pci_p2pdma_add_resource() of a BAR of `nr` pages. */
export function pci_p2pdma_add_resource(pgmap: DevPagemap, nr: number): void {
  // The callback came when the pages could be mapped; before, nobody counts them.
  if (change.p2pdma_mmap) pgmap.ops = 'p2pdma'
  memremap_pages(pgmap, nr)
  pdev.pgmap = pgmap
  p2pmem_pool.pages[0] = pgmap.pages[0]
  if (nr > 1) p2pmem_pool.pages[1] = pgmap.pages[1]
  pdev.p2pdma = p2pmem_pool
}

/**
 * pci_alloc_p2pmem() of one page, for a driver: the pool's page and one reference of the pgmap. The page's count stays as it
 * is. Null if there is none, or if the pgmap is dying.
 */
export function pci_alloc_p2pmem(): Page | null {
  rcu_read_lock()
  const page = alloc_p2pmem()
  rcu_read_unlock()
  return page
}

/** What pci_alloc_p2pmem() and p2pmem_alloc_mmap() do under RCU. */
function alloc_p2pmem(): Page | null {
  const p2pdma = pdev.p2pdma
  if (p2pdma === null) return null
  const page = gen_pool_alloc_owner(p2pdma)
  if (page === null) return null
  if (percpu_ref_tryget_live_rcu(pdev.pgmap!.ref)) return page
  gen_pool_free_owner(p2pdma, page)
  return null
}

/** pci_free_p2pmem(). */
export function pci_free_p2pmem(page: Page): void {
  p2pdma_page_free(page)
}

/**
 * p2pdma_page_free(), p2pdma_folio_free(): pgmap->ops->page_free. The page can be allocated again at once; its reference of
 * the pgmap is all that keeps the pgmap and the pool. rcu_dereference_protected(): without RCU.
 */
export function p2pdma_page_free(page: Page): void {
  const p2pdma = pdev.p2pdma
  BUG_ON(p2pdma === null, 'pdev->p2pdma', 'the pool has gone while somebody had a page of it')
  gen_pool_free_owner(p2pdma!, page)
  percpu_ref_put(pdev.pgmap!.ref)
}

/** A process maps a page: mmap() of p2pmem/allocate. Since Linux commit 7e9c7ef83d78 (in v6.2). */
export function mmap_p2pmem(vma: Vma): boolean {
  return mmap_region(vma, () => kernfs_fop_mmap(pdev.alloc_attr, () => p2pmem_alloc_mmap(vma)))
}

/**
 * p2pmem_alloc_mmap() of one page: a reference of the pgmap while the page is inserted, and one more that the mapped page keeps.
 * The page's first reference is given back at the end, so that the entry's is the only one.
 * Since Linux commit b7e282378773 ("mm/mm_init: move p2pdma page refcount initialisation to p2pdma") (in v6.15) that first
 * reference is made here; before, a page rests with it, and gets it back when it is freed.
 */
function p2pmem_alloc_mmap(vma: Vma): boolean {
  rcu_read_lock()
  const page = alloc_p2pmem()
  rcu_read_unlock()
  if (page === null) return false
  const ref = pdev.pgmap!.ref
  if (change.p2pdma_free_at_zero) {
    VM_WARN_ON(page_ref_count(page) !== 0, 'page_ref_count(page)', 'a page from the pool is still held: it was freed too early, or twice')
    set_page_count_one(page, 'alloc')
  }
  if (!vm_insert_page(vma, page)) {
    gen_pool_free_owner(pdev.p2pdma!, page)
    if (change.p2pdma_free_at_zero && change.p2pdma_insert_failure_resets_count) set_page_count_zero(page, 'alloc')
    // Since Linux commit 6220694c52a5 ("PCI/P2PDMA: Release per-CPU pgmap ref when vm_insert_page() fails") (in v7.0).
    if (change.p2pdma_insert_failure_puts_pgmap) percpu_ref_put(ref)
    return false
  }
  percpu_ref_get(ref)
  if (change.p2pdma_free_at_zero) put_page(page, 'alloc')
  else put_page(page, 'base')
  percpu_ref_put(ref)
  return true
}

/**
 * The driver of the device is unbound: devres_release_all() goes through what was taken in reverse order. The memory of the
 * pgmap (devm_kzalloc() in pci_p2pdma_add_resource()) goes before pci_p2pdma_release(), which was registered first.
 */
export function pci_device_remove(nr: number): void {
  const pgmap = pdev.pgmap!
  if (change.p2pdma_mmap) kernfs_remove(pdev.alloc_attr, p2pmem_inode)
  memunmap_pages(pgmap, nr)
  retire(pgmap)
  pci_p2pdma_release()
}

/** pci_p2pdma_release(): nobody finds the pool any more, then it goes. */
function pci_p2pdma_release(): void {
  const p2pdma = pdev.p2pdma!
  pdev.p2pdma = null
  synchronize_rcu()
  gen_pool_destroy(p2pdma)
}
