// lib/test_hmm.c: the driver of device-private pages. The "device" keeps each page's data in an ordinary page that the
// device page's zone_device_data leads to. One chunk; the list of free pages is linked through zone_device_data.
import { array, atomic, BUG_ON, expect, type FixedArray, type Guarded, retire, revive, struct } from 'putpage/model'
import { type DevPagemap, is_device_private_page } from '../include/linux/memremap.ts'
import { get_page } from '../include/linux/mm.ts'
import type { Backing, Page, Vma } from '../include/linux/mm_types.ts'
import { hand_over, set_page_count_one } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { lock_page } from '../include/linux/pagemap.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { Spinlock, spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { backing_data, next_free } from '../include/linux/zone_device_data.ts'
import type { FaultResult } from '../mm/memory.ts'
import { memremap_pages, memunmap_pages, zone_device_folio_init, zone_device_page_init } from '../mm/memremap.ts'
import {
  type MigratePfn,
  type MigrateVmaSelect,
  migrate_device_pages,
  migrate_device_range,
  migrate_vma_finalize,
  migrate_vma_pages,
  migrate_vma_setup,
} from '../mm/migrate_device.ts'
import { alloc_page } from '../mm/page_alloc.ts'
import { change } from '../switches.ts'

/** struct dmirror_device with its one chunk. */
class DmirrorDevice {
  lock = new Spinlock()
  free_pages: Guarded<Page | null, 'lock'> = null
  /** Since v7.3, folios of its large order. */
  free_folios: Guarded<Page | null, 'lock'> = null
  /** Its chunk is one of large folios. */
  large = false
  /** An ordinary page for what comes back may not be there: a scenario says so. */
  system_alloc_fails = false
  /** Its memory is coherent: the CPU can address it. */
  coherent = false
  /** chunk->remove. */
  remove: Guarded<boolean, 'lock'> = false
}
export const mdevice = struct(DmirrorDevice)

/** Where alloc_page() of the driver takes backing pages from: the model keeps them apart from what user space may get. */
class BackingPages {
  pages: FixedArray<Backing | null, 2> = array(2, null)
  taken: FixedArray<boolean, 2> = array(2, false)
  /** They are one folio. */
  large = false
}
export const backing_pages = struct(BackingPages)

/** Set-up: the driver's chunk of `nr` pages, all free, and as many backing pages as it may need. */
export function dmirror_allocate_chunk(pgmap: DevPagemap, nr: number, first: Backing, second: Backing | null): void {
  backing_pages.pages[0] = first
  retire(first)
  if (second !== null) {
    backing_pages.pages[1] = second
    retire(second)
  }
  allocate_chunk(pgmap, nr)
}

/**
 * Set-up: the same of coherent memory, which needs no backing pages. memremap_pages() of a kernel that does not know the type
 * refuses it: there the driver has no memory.
 */
export function dmirror_allocate_coherent_chunk(pgmap: DevPagemap, nr: number): void {
  mdevice.coherent = true
  if (change.device_coherent) allocate_chunk(pgmap, nr)
}

function allocate_chunk(pgmap: DevPagemap, nr: number): void {
  pgmap.ops = 'test_hmm'
  memremap_pages(pgmap, nr)
  const page = pgmap.pages[0]!
  page.zone_device_data = next_free(nr > 1 ? pgmap.pages[1] : null)
  mdevice.free_pages = page
}

/** alloc_page() of a backing page; null is a failed allocation. */
export function alloc_rpage(): Backing | null {
  return atomic(() => {
    let got: Backing | null = null
    for (let i = 0; i < 2; i++) {
      const rpage = backing_pages.pages[i]
      if (got === null && rpage !== null && !backing_pages.taken[i]) {
        backing_pages.taken[i] = true
        revive(rpage)
        got = rpage
      }
    }
    return got
  })
}

/** __free_page() of a backing page. */
export function free_rpage(rpage: Backing): void {
  atomic(() => {
    for (let i = 0; i < 2; i++) if (backing_pages.pages[i] === rpage) backing_pages.taken[i] = false
    retire(rpage)
  })
}

/** What the device memory of a page in use holds: of a coherent page it is the page itself that has the data. */
function device_data(page: Page): number {
  return is_device_private_page(page) ? BACKING_PAGE(page).data : page.data
}

/** The same, written. */
function set_device_data(page: Page, data: number): void {
  if (is_device_private_page(page)) BACKING_PAGE(page).data = data
  else page.data = data
}

/** BACKING_PAGE(): zone_device_data of a device-private page in use. */
export function BACKING_PAGE(page: Page): Backing {
  const rpage = page.zone_device_data.rpage
  BUG_ON(rpage === null, 'zone_device_data leads to no backing page')
  return rpage!
}

/** dmirror_devmem_free(): pgmap->ops->page_free(). May run under a page-table lock. */
export function dmirror_devmem_free(page: Page): void {
  const rpage = page.zone_device_data.rpage
  if (rpage !== null) free_rpage(rpage)
  spin_lock(mdevice.lock)
  if (!mdevice.remove) {
    page.zone_device_data = next_free(mdevice.free_pages)
    mdevice.free_pages = page
  }
  spin_unlock(mdevice.lock)
}

/**
 * dmirror_devmem_alloc_page(): takes a page from the free list, which nobody else can then take.
 * The page's count: v5.10 adds one to the 1 it rests at; the patch of November 2021 stores 1. Since Linux commit
 * 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18) the 1 it rests at is the owner's, and
 * nothing is stored. Since ef233450898f ("mm: free device private pages have zero refcount") (in v6.1) zone_device_page_init() does, and
 * zone_device_data is stored only after it.
 */
export function dmirror_devmem_alloc_page(): Page | null {
  let rpage: Backing | null = null
  if (!mdevice.coherent) {
    rpage = alloc_rpage()
    if (rpage === null) return null
  }
  spin_lock(mdevice.lock)
  const dpage = mdevice.free_pages
  if (dpage === null) {
    // A further chunk would be allocated here.
    spin_unlock(mdevice.lock)
    if (rpage !== null) free_rpage(rpage)
    return null
  }
  mdevice.free_pages = dpage.zone_device_data.next
  spin_unlock(mdevice.lock)
  if (change.page_holds_pgmap_reference) {
    if (mdevice.large) zone_device_folio_init(dpage, compound_head(dpage).pgmap!, 0)
    else zone_device_page_init(dpage)
    dpage.zone_device_data = backing_data(rpage)
    return dpage
  }
  dpage.zone_device_data = backing_data(rpage)
  if (change.private_free_at_zero) set_page_count_one(dpage, 'alloc')
  else if (change.free_zone_device_page_at_zero) atomic(() => hand_over(dpage, 'base', 'alloc'))
  else get_page(dpage, 'alloc')
  lock_page(dpage)
  return dpage
}

/** dmirror_migrate_to_device(), dmirror_migrate() of v5.10: one page, or a hole, of the process goes to the device. @kernel dmirror_migrate */
export function dmirror_migrate_to_device(vma: Vma): void {
  down_read(vma.mm.mmap_lock)
  const src = migrate_vma_setup(vma, 'system', null)
  const dst = dmirror_migrate_alloc_and_copy(src)
  const migrated = migrate_vma_pages(vma, src, dst, null)
  migrate_vma_finalize(src, dst, migrated, null)
  up_read(vma.mm.mmap_lock)
}

/** dmirror_migrate_alloc_and_copy(). */
function dmirror_migrate_alloc_and_copy(src: MigratePfn): Page | null {
  if (!src.migrate) return null
  const dpage = dmirror_devmem_alloc_page()
  if (dpage === null) return null
  const spage = src.page
  if (spage === null) set_device_data(dpage, 0)
  else set_device_data(dpage, spage.data)
  return dpage
}

/**
 * dmirror_devmem_fault(), pgmap->ops->migrate_to_ram(): the CPU wants the page back.
 * Since Linux commit 16ce101db85d ("mm/memory.c: fix race when faulting a device private page") (in v6.1) the caller's
 * reference is known to the migration as that of `fault_page`.
 * @role
 */
export function dmirror_devmem_fault(vma: Vma, page: Page): FaultResult {
  const mirror = BACKING_PAGE(page).data
  expect(mirror === 0 || mirror === vma.mm.data, "a CPU fault uses another process's mirror")
  const fault_page = change.fault_takes_reference ? page : null
  const src = migrate_vma_setup(vma, 'device_private', fault_page)
  const dst = dmirror_devmem_fault_alloc_and_copy(src)
  const migrated = migrate_vma_pages(vma, src, dst, fault_page)
  migrate_vma_finalize(src, dst, migrated, fault_page)
  return 'done'
}

/** dmirror_devmem_fault_alloc_and_copy(), and the loop of dmirror_device_evict_chunk(). */
function dmirror_devmem_fault_alloc_and_copy(src: MigratePfn): Page | null {
  const spage = src.page
  if (spage === null || !src.migrate) return null
  const data = device_data(spage)
  const dpage = alloc_page()
  lock_page(dpage)
  dpage.data = data
  return dpage
}

/** dmirror_select_device(): what the device's memory is. */
function dmirror_select_device(): MigrateVmaSelect {
  return mdevice.coherent ? 'device_coherent' : 'device_private'
}

/** dmirror_migrate_to_system(): the process's page comes back. */
export function dmirror_migrate_to_system(vma: Vma): void {
  down_read(vma.mm.mmap_lock)
  const src = migrate_vma_setup(vma, dmirror_select_device(), null)
  const dst = dmirror_devmem_fault_alloc_and_copy(src)
  const migrated = migrate_vma_pages(vma, src, dst, null)
  migrate_vma_finalize(src, dst, migrated, null)
  up_read(vma.mm.mmap_lock)
}

/** dmirror_device_evict_chunk() of a chunk of one page. */
export function dmirror_device_evict_chunk(pgmap: DevPagemap): void {
  const src = migrate_device_range(pgmap.pages[0]!)
  const page = src.page
  if (page === null) return
  const dst = dmirror_devmem_fault_alloc_and_copy(src)
  const migrated = migrate_device_pages(page, dst)
  migrate_vma_finalize(src, dst, migrated, null)
}

/**
 * dmirror_device_remove_chunks(), dmirror_device_remove() of v5.10: the driver gives up its memory of `nr` pages.
 * Since Linux commit ad4c365221b0 (in v6.1) it stops allocations and evicts first.
 */
export function dmirror_device_remove_chunks(pgmap: DevPagemap): void {
  if (change.driver_evicts_on_remove) {
    spin_lock(mdevice.lock)
    mdevice.remove = true
    mdevice.free_pages = null
    spin_unlock(mdevice.lock)
    dmirror_device_evict_chunk(pgmap)
  }
  memunmap_pages(pgmap, 1)
}
