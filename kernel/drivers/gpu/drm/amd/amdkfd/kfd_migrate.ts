// drivers/gpu/drm/amd/amdkfd/kfd_migrate.c: pages of a range of the process go to the GPU's memory and come back. The file is of v5.14, and
// v5.10 has none: `amdkfd_svm` switches it. What v5.15+seed has of it is a reconstruction: v5.15's functions under the counting rules of v5.10.
import { atomic, may_fail, WARN_ON_ONCE, type Word } from 'putpage/model'
import { is_zone_device_page } from '../../../../../include/linux/memremap.ts'
import { get_page, put_page } from '../../../../../include/linux/mm.ts'
import type { Page, Vma } from '../../../../../include/linux/mm_types.ts'
import { mutex_lock, mutex_unlock } from '../../../../../include/linux/mutex.ts'
import { hand_over, set_page_count_one } from '../../../../../include/linux/page_ref.ts'
import { lock_page, unlock_page } from '../../../../../include/linux/pagemap.ts'
import { NO_DATA, svm_bo_data } from '../../../../../include/linux/zone_device_data.ts'
import { mmget_not_zero } from '../../../../../kernel/fork.ts'
import type { FaultResult } from '../../../../../mm/memory.ts'
import { zone_device_page_init } from '../../../../../mm/memremap.ts'
import { type MigratePfn, migrate_vma_finalize, migrate_vma_pages, migrate_vma_setup } from '../../../../../mm/migrate_device.ts'
import { alloc_page } from '../../../../../mm/page_alloc.ts'
import { change } from '../../../../../switches.ts'
import {
  kfd,
  kfd_mmput,
  type SvmRange,
  svm_range,
  svm_range_bo_ref,
  svm_range_bo_unref_async,
  svm_range_vram_node_free,
  svm_range_vram_node_new,
} from './kfd_svm.ts'

/** migrate_vma_setup() of the GPU's pages: where the GPU is one with the CPU's memory (xGMI) they are coherent. */
function migrate_vma_setup_device(vma: Vma, fault_page: Page | null): MigratePfn {
  if (kfd.pgmap!.type === 'coherent') return migrate_vma_setup(vma, 'device_coherent', fault_page)
  return migrate_vma_setup(vma, 'device_private', fault_page)
}

/** dma_map_page(). */
function dma_map_page(): boolean {
  return !(kfd.copies_fail && may_fail())
}

/** svm_migrate_copy_memory_gart(): by the GPU's copy engine. */
function svm_migrate_copy_memory_gart(dst: Page, src: Page): boolean {
  if (kfd.copies_fail && may_fail()) return false
  dst.data = src.data
  return true
}

/**
 * svm_migrate_get_vram_page(): the page of the range's piece of GPU memory. The piece is the range's, so nobody else can take the page; but who
 * brought it back before may still hold it: nobody looks.
 * The page's count: before the patch of November 2021 one is added to the 1 it rests at; the patch stores 1; since Linux commit
 * 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) the 1 it rests at is the owner's; since 0dc45ca1ce18
 * ("mm/memremap.c: take a pgmap reference on page allocation") (in v6.1) zone_device_page_init() does it. zone_device_data comes
 * before it in all.
 */
function svm_migrate_get_vram_page(prange: SvmRange): Page {
  const page = kfd.pgmap!.pages[0]!
  const svm_bo = prange.svm_bo!
  svm_range_bo_ref(svm_bo)
  page.zone_device_data = svm_bo_data(svm_bo)
  if (change.page_holds_pgmap_reference) {
    zone_device_page_init(page)
    return page
  }
  if (change.private_free_at_zero) set_page_count_one(page, 'alloc')
  else if (change.free_zone_device_page_at_zero) atomic(() => hand_over(page, 'base', 'alloc'))
  else get_page(page, 'alloc')
  lock_page(page)
  return page
}

/** svm_migrate_put_vram_page(). */
function svm_migrate_put_vram_page(page: Page): void {
  unlock_page(page)
  put_page(page, 'alloc')
}

/** svm_migrate_page_free(), svm_migrate_folio_free(): pgmap->ops->page_free(). May run under a page-table lock, so it may not sleep. */
export function svm_migrate_page_free(page: Page): void {
  const svm_bo = page.zone_device_data.svm_bo
  if (change.kfd_skips_page_in_use) page.zone_device_data = NO_DATA
  if (svm_bo !== null) svm_range_bo_unref_async(svm_bo)
}

/** What a migration came to: how many pages, or an error. */
type Migrated = 'error' | 'none' | 'one'

/** What svm_migrate_copy_to_vram() leaves in the dst array, and whether a step failed. */
type Copied = Word<{ page: Page | null; failed: boolean }>

/**
 * svm_migrate_copy_to_vram(). A hole gets what the page holds: memory is cleared when the range gets its svm_bo, and not again.
 * When a step fails v6.12 puts all pages it took. Before, it puts those before the one it was at: that one stays in the dst array, and is
 * migrated to all the same.
 */
function svm_migrate_copy_to_vram(prange: SvmRange, spage: Page | null): Copied {
  if (change.kfd_skips_page_in_use && kfd.pgmap!.pages[0]!.zone_device_data.svm_bo !== null) return { page: null, failed: true }
  const dpage = svm_migrate_get_vram_page(prange)
  if (spage === null) return { page: dpage, failed: false }
  let copied = dma_map_page()
  if (copied) copied = svm_migrate_copy_memory_gart(dpage, spage)
  if (copied) return { page: dpage, failed: false }
  if (!change.kfd_puts_unmapped_page) return { page: dpage, failed: true }
  svm_migrate_put_vram_page(dpage)
  return { page: null, failed: true }
}

/**
 * svm_migrate_vma_to_vram(): of a range that has GPU memory. What it counts: until v6.1 pages that were collected; then pages that were
 * copied; in v7.x pages that were migrated.
 */
function svm_migrate_vma_to_vram(prange: SvmRange, vma: Vma): Migrated {
  const src = migrate_vma_setup(vma, 'system', null)
  if (!src.migrate) return 'none'
  const copied = svm_migrate_copy_to_vram(prange, src.page)
  const migrated = migrate_vma_pages(vma, src, copied.page, null)
  migrate_vma_finalize(src, copied.page, migrated, null)
  if (copied.failed) return 'error'
  return change.kfd_counts_migrated_pages && !migrated ? 'none' : 'one'
}

/** svm_migrate_to_vram(), svm_migrate_ram_to_vram(): under mmap_lock, svms->lock and migrate_mutex. */
export function svm_migrate_to_vram(prange: SvmRange, vma: Vma): void {
  if (!svm_range_vram_node_new(prange)) return
  const result = svm_migrate_vma_to_vram(prange, vma)
  if (result === 'one') {
    prange.actual_loc = true
    if (change.kfd_counts_vram_pages) prange.vram_pages += 1
  } else if (!change.kfd_counts_vram_pages || !prange.actual_loc) svm_range_vram_node_free(prange)
}

/** svm_migrate_copy_to_ram(): the ordinary page for the source, if that is one of the GPU; `failed` if a step failed. */
function svm_migrate_copy_to_ram(spage: Page): Page | null {
  const dpage = alloc_page()
  lock_page(dpage)
  if (dma_map_page() && svm_migrate_copy_memory_gart(dpage, spage)) return dpage
  unlock_page(dpage)
  put_page(dpage, 'alloc')
  return null
}

/** The source is a page of the GPU, and not a hole. */
function is_vram_page(src: MigratePfn): boolean {
  const page = src.page
  return page !== null && is_zone_device_page(page)
}

/**
 * svm_migrate_vma_to_ram(). Until v6.1 it gives the number of pages that were *not* migrated, of those that could be collected: a page that
 * could not be collected is in neither number. v6.12 gives the number of pages copied, migrated or not; v7.x the number migrated.
 */
function svm_migrate_vma_to_ram(vma: Vma, fault_page: Page | null): Migrated {
  const src = migrate_vma_setup_device(vma, fault_page)
  if (!src.migrate) return 'none'
  let dst: Page | null = null
  if (is_vram_page(src)) {
    dst = svm_migrate_copy_to_ram(src.page!)
    if (dst === null) {
      migrate_vma_finalize(src, null, false, fault_page)
      return 'error'
    }
  }
  const migrated = migrate_vma_pages(vma, src, dst, fault_page)
  migrate_vma_finalize(src, dst, migrated, fault_page)
  if (change.kfd_counts_migrated_pages) return migrated ? 'one' : 'none'
  if (change.kfd_counts_vram_pages) return dst !== null ? 'one' : 'none'
  return src.page !== null && !migrated ? 'one' : 'none'
}

/** svm_migrate_vram_to_ram(): under mmap_lock and migrate_mutex. False is an error; true does not say that a page came back. */
export function svm_migrate_vram_to_ram(prange: SvmRange, vma: Vma, fault_page: Page | null): boolean {
  if (!prange.actual_loc) return true
  const result = svm_migrate_vma_to_ram(vma, fault_page)
  if (result === 'error') return false
  if (!change.kfd_counts_vram_pages) {
    // `one` page was not migrated.
    if (result === 'none') {
      svm_range_vram_node_free(prange)
      prange.actual_loc = false
    }
    return true
  }
  if (result === 'one') {
    WARN_ON_ONCE(
      prange.vram_pages < 1,
      'Recorded vram pages should not be less than migration pages',
      'more pages came back from the GPU than the range had there',
    )
    prange.vram_pages -= 1
  }
  if (prange.vram_pages === 0 && prange.ttm_res) {
    prange.actual_loc = false
    svm_range_vram_node_free(prange)
  }
  return true
}

/**
 * svm_migrate_to_ram(), pgmap->ops->migrate_to_ram(): the CPU wants the page back. A child of fork() may fault too: the range is the parent's.
 * Since Linux commit 16ce101db85d ("mm/memory.c: fix race when faulting a device private page") (in v6.1) the caller's
 * reference is known to the migration as that of `fault_page`.
 * @role
 */
export function svm_migrate_to_ram(vma: Vma, page: Page): FaultResult {
  const fault_page = change.fault_takes_reference ? page : null
  const svm_bo = page.zone_device_data.svm_bo
  if (svm_bo === null) return 'sigbus'
  const mm = svm_bo.mm!
  if (!mmget_not_zero(mm)) return 'sigbus'
  const prange = svm_range
  mutex_lock(kfd.svms_lock)
  mutex_lock(prange.migrate_mutex)
  const done = svm_migrate_vram_to_ram(prange, vma, fault_page)
  mutex_unlock(prange.migrate_mutex)
  mutex_unlock(kfd.svms_lock)
  kfd_mmput()
  return done ? 'done' : 'sigbus'
}
