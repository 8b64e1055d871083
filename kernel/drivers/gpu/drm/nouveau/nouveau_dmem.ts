// drivers/gpu/drm/nouveau/nouveau_dmem.c: device-private pages of a GPU, in chunks of its memory. Single pages, and one chunk; what
// the device keeps of a page is page.data. Large folios are in nouveau_dmem-folio.ts.
import { atomic, BUG_ON, data_race, type Guarded, type Int, may_fail, struct, WARN_ON } from 'putpage/model'
import type { DevPagemap } from '../../../../include/linux/memremap.ts'
import { get_page, put_page } from '../../../../include/linux/mm.ts'
import type { Page, Vma } from '../../../../include/linux/mm_types.ts'
import { Mutex, mutex_lock, mutex_unlock } from '../../../../include/linux/mutex.ts'
import { hand_over, set_page_count_one } from '../../../../include/linux/page_ref.ts'
import { lock_page, unlock_page } from '../../../../include/linux/pagemap.ts'
import { Spinlock, spin_lock, spin_unlock } from '../../../../include/linux/spinlock.ts'
import { next_free, svmm_data } from '../../../../include/linux/zone_device_data.ts'
import type { FaultResult } from '../../../../mm/memory.ts'
import { memremap_pages, memunmap_pages, zone_device_page_init } from '../../../../mm/memremap.ts'
import { migrate_device_pages, migrate_device_range, migrate_vma_finalize, migrate_vma_pages, migrate_vma_setup } from '../../../../mm/migrate_device.ts'
import { __free_page, alloc_page, alloc_zeroed_page } from '../../../../mm/page_alloc.ts'
import { change } from '../../../../switches.ts'
import { nouveau_dmem_evict_folios } from './nouveau_dmem-folio.ts'
import { type NouveauSvmm, nouveau_pfns_map, nouveau_svmm_invalidate } from './nouveau_svm.ts'

/** struct nouveau_dmem with its one struct nouveau_dmem_chunk. */
class NouveauDmem {
  mutex = new Mutex()
  lock = new Spinlock()
  free_pages: Guarded<Page | null, 'lock'> = null
  free_folios: Guarded<Page | null, 'lock'> = null
  /** The chunk was made of large folios. */
  large = false
  /** chunk->callocated; unsigned in the kernel, where it wraps. */
  callocated: Guarded<Int<-1, 3>, 'lock'> = 0
  /** chunk->bo: the memory of the chunk, pinned. Null when nouveau_dmem_fini() has let it go (v6.12 leaves the pointer). */
  bo = true
  pagemap: DevPagemap | null = null
  npages: Int<1, 2> = 1
  /** Copies by the GPU, and the DMA mappings for them, may fail. Set by a scenario. */
  copies_fail = false
}
export const dmem = struct(NouveauDmem)

/**
 * nouveau_dmem_chunk_alloc() for a first page, which is given back at once: set-up. All pages but the last go on the free list; the
 * last is the caller's. No scenario allocates a further chunk.
 */
export function nouveau_dmem_chunk_alloc(pagemap: DevPagemap, npages: number): void {
  pagemap.ops = 'nouveau'
  dmem.pagemap = pagemap
  dmem.npages = npages
  memremap_pages(pagemap, npages)
  const first = pagemap.pages[0]!
  if (npages > 1) {
    first.zone_device_data = next_free(null)
    dmem.free_pages = first
  }
  const page = npages > 1 ? pagemap.pages[1]! : first
  dmem.callocated = 1
  nouveau_dmem_page_init(page)
  nouveau_dmem_page_free_locked(page)
}

/** nouveau_dmem_page_addr(): where the page is in the memory of the GPU. */
function nouveau_dmem_page_addr(_page: Page): void {
  BUG_ON(!dmem.bo, 'kernel NULL pointer dereference', "chunk->bo is null: the driver let the chunk's memory go while a page of it was in use")
}

/** nouveau_dmem_page_free(), nouveau_dmem_folio_free(): pgmap->ops->page_free(). May run under a page-table lock. */
export function nouveau_dmem_page_free(page: Page): void {
  spin_lock(dmem.lock)
  if (dmem.large && page.order === 1) {
    page.zone_device_data = next_free(dmem.free_folios)
    dmem.free_folios = page
  } else {
    page.zone_device_data = next_free(dmem.free_pages)
    dmem.free_pages = page
  }
  WARN_ON(dmem.callocated === 0, '!chunk->callocated', 'a page is freed of a chunk that has none in use: one was freed twice')
  dmem.callocated -= 1
  spin_unlock(dmem.lock)
}

/** The end of nouveau_dmem_page_alloc_locked(): the page is the caller's, and nobody else can have it. */
function nouveau_dmem_page_init(page: Page): void {
  if (change.page_holds_pgmap_reference) {
    zone_device_page_init(page)
    return
  }
  if (change.private_free_at_zero) set_page_count_one(page, 'alloc')
  else if (change.free_zone_device_page_at_zero) atomic(() => hand_over(page, 'base', 'alloc'))
  else get_page(page, 'alloc')
  lock_page(page)
}

/**
 * nouveau_dmem_page_alloc_locked(): takes a page from the free list.
 * The page's count: v5.10 adds one to the 1 it rests at; the patch of November 2021 stores 1; since Linux commit 27674ef6c73f
 * ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) the 1 it rests at is the owner's; since 0dc45ca1ce18
 * ("mm/memremap.c: take a pgmap reference on page allocation") (in v6.1) zone_device_page_init() does it.
 */
function nouveau_dmem_page_alloc_locked(): Page | null {
  spin_lock(dmem.lock)
  const page = dmem.free_pages
  if (page === null) {
    // nouveau_dmem_chunk_alloc()
    spin_unlock(dmem.lock)
    return null
  }
  dmem.free_pages = page.zone_device_data.next
  dmem.callocated += 1
  spin_unlock(dmem.lock)
  nouveau_dmem_page_init(page)
  return page
}

/** nouveau_dmem_page_free_locked(). */
function nouveau_dmem_page_free_locked(page: Page): void {
  unlock_page(page)
  put_page(page, 'alloc')
}

/** The copy engine, migrate.copy_func, with dma_map_page() before it: true if both worked. */
function copy_func(dst: Page, src: Page): boolean {
  if (dmem.copies_fail && may_fail()) return false
  dst.data = src.data
  return true
}

/** nouveau_dmem_copy_one(), nouveau_dmem_copy_folio(): from the device to an ordinary page, which it locks. */
export function nouveau_dmem_copy_one(spage: Page, dpage: Page): boolean {
  lock_page(dpage)
  nouveau_dmem_page_addr(spage)
  return copy_func(dpage, spage)
}

/** zone_device_data of a page in use. */
function page_svmm(page: Page): NouveauSvmm {
  const svmm = page.zone_device_data.svmm
  BUG_ON(svmm === null, 'page->zone_device_data leads to no svmm', 'the page of a CPU fault is on the free list, or its allocation is not complete')
  return svmm!
}

/**
 * nouveau_dmem_migrate_to_ram(), pgmap->ops->migrate_to_ram(): the CPU wants the page back.
 * Since Linux commit 16ce101db85d ("mm/memory.c: fix race when faulting a device private page") (in v6.1) the caller's
 * reference is known to the migration as that of `fault_page`. v7.3 does not look at what was collected: that may be a hole, where
 * somebody has given the memory up meanwhile.
 * @role
 */
export function nouveau_dmem_migrate_to_ram(vma: Vma, page: Page): FaultResult {
  const fault_page = change.fault_takes_reference ? page : null
  const src = migrate_vma_setup(vma, 'device_private', fault_page)
  if (!src.migrate) return 'done'
  const collected = src.page
  if (collected === null && !change.nouveau_copies_fault_folio) {
    migrate_vma_finalize(src, null, false, fault_page)
    return 'done'
  }
  let spage = page
  if (collected !== null) spage = collected
  const dpage = alloc_zeroed_page()
  if (!change.nouveau_copy_one) {
    if (!nouveau_dmem_fault_copy_one(spage, dpage)) {
      migrate_vma_finalize(src, null, false, fault_page)
      return 'sigbus'
    }
  } else {
    const svmm = page_svmm(spage)
    mutex_lock(svmm.mutex)
    nouveau_svmm_invalidate(svmm)
    const copied = nouveau_dmem_copy_one(spage, dpage)
    mutex_unlock(svmm.mutex)
    if (!copied) {
      // dst was filled in before the copy, and the source still says MIGRATE: to the finalization this is a migrated page.
      migrate_vma_finalize(src, dpage, true, fault_page)
      return 'sigbus'
    }
  }
  const migrated = migrate_vma_pages(vma, src, dpage, fault_page)
  migrate_vma_finalize(src, dpage, migrated, fault_page)
  return 'done'
}

/** nouveau_dmem_fault_copy_one(), until v6.0: after a copy that failed the new page is freed as it is, locked. */
function nouveau_dmem_fault_copy_one(spage: Page, dpage: Page): boolean {
  lock_page(dpage)
  const svmm = page_svmm(spage)
  mutex_lock(svmm.mutex)
  nouveau_svmm_invalidate(svmm)
  nouveau_dmem_page_addr(spage)
  const copied = copy_func(dpage, spage)
  mutex_unlock(svmm.mutex)
  if (!copied) __free_page(dpage, 'alloc')
  return copied
}

/**
 * nouveau_dmem_migrate_vma(), nouveau_dmem_migrate_chunk(): one page, or a hole, of the process goes to the device. Under mmap_lock. What the GPU
 * maps afterwards was decided when the copy was made: whether the page was migrated is not looked at.
 */
export function nouveau_dmem_migrate_vma(svmm: NouveauSvmm, vma: Vma): void {
  const src = migrate_vma_setup(vma, 'system', null)
  if (!src.migrate) return
  const dst = nouveau_dmem_migrate_copy_one(svmm, src.page)
  const migrated = migrate_vma_pages(vma, src, dst, null)
  nouveau_pfns_map(svmm, change.nouveau_maps_migrated_only && !migrated ? null : dst)
  migrate_vma_finalize(src, dst, migrated, null)
}

/** nouveau_dmem_migrate_copy_one(): zone_device_data is stored when the copy is made. */
function nouveau_dmem_migrate_copy_one(svmm: NouveauSvmm, spage: Page | null): Page | null {
  const dpage = nouveau_dmem_page_alloc_locked()
  if (dpage === null) return null
  nouveau_dmem_page_addr(dpage)
  if (spage === null) dpage.data = 0
  else if (!copy_func(dpage, spage)) {
    nouveau_dmem_page_free_locked(dpage)
    return null
  }
  dpage.zone_device_data = svmm_data(svmm)
  return dpage
}

/** nouveau_dmem_evict_chunk(), one page after the other. A copy that fails is not noticed. */
function nouveau_dmem_evict_chunk(): void {
  if (dmem.large) {
    nouveau_dmem_evict_folios()
    return
  }
  const pagemap = dmem.pagemap!
  for (let i = 0; i < 2; i++) if (i < dmem.npages) nouveau_dmem_evict_page(pagemap.pages[i]!)
}

function nouveau_dmem_evict_page(page: Page): void {
  const src = migrate_device_range(page)
  const spage = src.page
  if (spage === null) return
  const dpage = alloc_page()
  nouveau_dmem_copy_one(spage, dpage)
  const migrated = migrate_device_pages(spage, dpage)
  migrate_vma_finalize(src, dpage, migrated, null)
}

/**
 * nouveau_dmem_fini(): the driver is unloaded, or unbound from the device.
 * Since Linux commit 249881232e14 ("nouveau/dmem: evict device private memory during release") (in v6.1) it migrates the pages of
 * processes back first. The free list keeps the pages of the chunk.
 */
export function nouveau_dmem_fini(): void {
  mutex_lock(dmem.mutex)
  if (change.driver_evicts_on_remove) nouveau_dmem_evict_chunk()
  dmem.bo = false
  if (change.driver_evicts_on_remove) {
    WARN_ON(data_race(dmem.callocated) !== 0, 'chunk->callocated', 'the eviction has left a page behind: its data are lost, or the unbinding waits for it')
  }
  memunmap_pages(dmem.pagemap!, dmem.npages)
  mutex_unlock(dmem.mutex)
}
