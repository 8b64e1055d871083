// lib/test_hmm.c of v7.3 with large folios: one chunk that is one folio of two pages, and an ordinary folio as large behind it. A hole
// of a process goes there, and comes back by a fault on its PMD entry, at eviction, or when the driver goes. A part of a folio that
// is given up while the rest stays mapped is left out: the fault of a single entry is that of test_hmm.ts.
import { atomic, BUG_ON, may_fail, retire, revive, type Word } from 'putpage/model'
import type { DevPagemap } from '../include/linux/memremap.ts'
import type { Backing, Page, Pmd, Vma } from '../include/linux/mm_types.ts'
import { lock_page, unlock_page } from '../include/linux/pagemap.ts'
import { down_read, up_read } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { backing_data, NO_DATA, next_free } from '../include/linux/zone_device_data.ts'
import type { FaultResult } from '../mm/memory.ts'
import { memremap_pages, memunmap_pages, zone_device_folio_init } from '../mm/memremap.ts'
import {
  type DstRange,
  migrate_range_by_pfn,
  migrate_range_finalize,
  migrate_range_pages,
  migrate_range_setup,
  type SrcRange,
} from '../mm/migrate_device-range.ts'
import { __free_page, alloc_large_folio, alloc_page } from '../mm/page_alloc.ts'
import { BACKING_PAGE, backing_pages, dmirror_devmem_alloc_page, free_rpage, mdevice } from './test_hmm.ts'

const NO_DST: DstRange = { first: null, second: null, compound: false }

/** dmirror_allocate_chunk() with is_large: set-up. Both backing pages are free. */
export function dmirror_allocate_large_chunk(pgmap: DevPagemap, first: Backing, second: Backing): void {
  allocate_chunk(pgmap, first, second)
  const folio = pgmap.pages[0]!
  folio.zone_device_data = next_free(null)
  mdevice.free_folios = folio
}

/** The same without is_large, by a driver that knows large folios: set-up. Its pages are single ones. */
export function dmirror_allocate_small_chunk(pgmap: DevPagemap, first: Backing, second: Backing): void {
  allocate_chunk(pgmap, first, second)
  const page = pgmap.pages[0]!
  page.zone_device_data = next_free(pgmap.pages[1])
  mdevice.free_pages = page
}

function allocate_chunk(pgmap: DevPagemap, first: Backing, second: Backing): void {
  backing_pages.pages[0] = first
  backing_pages.pages[1] = second
  retire(first)
  retire(second)
  pgmap.ops = 'test_hmm'
  mdevice.large = true
  memremap_pages(pgmap, 2)
}

/** folio_alloc() of the backing folio; null if the two pages are not free. */
function alloc_rfolio(): Backing | null {
  return atomic(() => {
    let got: Backing | null = null
    if (!backing_pages.taken[0] && !backing_pages.taken[1]) {
      backing_pages.taken[0] = true
      backing_pages.taken[1] = true
      backing_pages.large = true
      revive(backing_pages.pages[0]!)
      revive(backing_pages.pages[1]!)
      got = backing_pages.pages[0]
    }
    return got
  })
}

/** __free_pages() of the backing folio. */
function free_rfolio(): void {
  backing_pages.large = false
  free_rpage(backing_pages.pages[0]!)
  free_rpage(backing_pages.pages[1]!)
}

/** dmirror_devmem_alloc_page() with is_large. */
function dmirror_devmem_alloc_folio(): Page | null {
  const rpage = alloc_rfolio()
  if (rpage === null) return null
  spin_lock(mdevice.lock)
  const folio = mdevice.free_folios
  if (folio === null) {
    // A further chunk would be allocated here.
    spin_unlock(mdevice.lock)
    free_rfolio()
    return null
  }
  mdevice.free_folios = folio.zone_device_data.next
  spin_unlock(mdevice.lock)
  zone_device_folio_init(folio, folio.pgmap!, 1)
  folio.zone_device_data = backing_data(rpage)
  return folio
}

/** dmirror_devmem_free() of a chunk of large folios: what is freed is as large as what is behind it. May run under a page-table lock. */
export function dmirror_devmem_free_folio(page: Page): void {
  const rpage = BACKING_PAGE(page)
  const order = backing_pages.large
  if (order) free_rfolio()
  else free_rpage(rpage)
  spin_lock(mdevice.lock)
  if (!mdevice.remove) {
    if (order) {
      page.zone_device_data = next_free(mdevice.free_folios)
      mdevice.free_folios = page
    } else {
      page.zone_device_data = next_free(mdevice.free_pages)
      mdevice.free_pages = page
    }
  }
  spin_unlock(mdevice.lock)
}

/** dmirror_devmem_folio_split(), pgmap->ops->folio_split(): the backing folio is taken apart with the device's. */
export function dmirror_devmem_folio_split(head: Page, tail: Page | null): void {
  const rpage = head.zone_device_data.rpage
  if (tail === null) {
    if (rpage !== null) backing_pages.large = false
    return
  }
  if (rpage === null) {
    tail.zone_device_data = NO_DATA
    return
  }
  tail.zone_device_data = backing_data(backing_pages.pages[1])
  tail.mapping = head.mapping
  tail.pgmap = head.pgmap
}

/** dmirror_migrate_to_device() of a range where nothing is yet. */
export function dmirror_migrate_range_to_device(pmd: Pmd): void {
  const mm = pmd.vmas[0]!.mm
  down_read(mm.mmap_lock)
  const src = migrate_range_setup(pmd, null)
  const dst = dmirror_migrate_alloc_and_copy(src)
  const done = migrate_range_pages(pmd, src, dst, null)
  migrate_range_finalize(done, dst, null)
  up_read(mm.mmap_lock)
}

/** dmirror_migrate_alloc_and_copy(): a large hole gets a large folio, or single pages if there is none. Of those none may be missing: nobody asks. */
function dmirror_migrate_alloc_and_copy(src: SrcRange): DstRange {
  if (!src.migrate || src.first !== null || !src.compound) return NO_DST
  const folio = dmirror_devmem_alloc_folio()
  if (folio === null) {
    const first = dmirror_devmem_alloc_page()
    clear_highpage(first)
    const second = dmirror_devmem_alloc_page()
    clear_highpage(second)
    return { first, second, compound: false }
  }
  backing_pages.pages[0]!.data = 0
  backing_pages.pages[1]!.data = 0
  return { first: folio, second: null, compound: true }
}

/** BACKING_PAGE(dpage), which dereferences it, and clear_highpage(). */
function clear_highpage(dpage: Page | null): void {
  BUG_ON(
    dpage === null,
    'kernel NULL pointer dereference',
    'device memory has no page for a part of a folio that there was no room for: dmirror_devmem_alloc_page() failed, and nobody asks',
  )
  BACKING_PAGE(dpage!).data = 0
}

/**
 * dmirror_devmem_fault(), pgmap->ops->migrate_to_ram() of a PMD entry: the folio comes back whole, or page by page if there is no ordinary
 * folio as large.
 */
export function dmirror_devmem_fault_folio(vma: Vma, page: Page): FaultResult {
  BACKING_PAGE(page)
  return migrate_range_to_system(vma.pmd!, page)
}

/** dmirror_migrate_to_system() of a range. */
export function dmirror_migrate_range_to_system(pmd: Pmd): void {
  const mm = pmd.vmas[0]!.mm
  down_read(mm.mmap_lock)
  migrate_range_to_system(pmd, null)
  up_read(mm.mmap_lock)
}

/**
 * What both have in common. Where an ordinary page is missing nothing is migrated, yet what was allocated before stands in the dst array, and
 * the source still says MIGRATE: the finalization takes it for migrated. VM_FAULT_OOM and -ENOMEM are a SIGBUS here.
 */
function migrate_range_to_system(pmd: Pmd, fault_page: Page | null): FaultResult {
  const src = migrate_range_setup(pmd, fault_page)
  const got = dmirror_devmem_fault_alloc_and_copy(src)
  const dst: DstRange = { first: got.first, second: got.second, compound: got.compound }
  if (got.oom) {
    migrate_range_finalize(src, dst, fault_page)
    return 'sigbus'
  }
  const done = migrate_range_pages(pmd, src, dst, fault_page)
  migrate_range_finalize(done, dst, fault_page)
  return 'done'
}

/** The dst array, and whether an allocation failed. */
type Allocated = Word<{ first: Page | null; second: Page | null; compound: boolean; oom: boolean }>

const OOM: Allocated = { first: null, second: null, compound: false, oom: true }

/** dmirror_devmem_fault_alloc_and_copy(): what is behind the page says how large the destination must be. */
function dmirror_devmem_fault_alloc_and_copy(src: SrcRange): Allocated {
  let dpage: Page | null = null
  const first = src.first
  if (first !== null && src.migrate) {
    const rpage = BACKING_PAGE(first)
    if (backing_pages.large) return alloc_for_folio(rpage)
    dpage = system_page(rpage)
    if (dpage === null) return OOM
  }
  const second = src.second
  if (second === null || !src.migrate_second) return { first: dpage, second: null, compound: false, oom: false }
  const dpage1 = system_page(BACKING_PAGE(second))
  return { first: dpage, second: dpage1, compound: false, oom: dpage1 === null }
}

/** A folio, or as many pages. Of these all are given back if one is missing. */
function alloc_for_folio(rpage: Backing): Allocated {
  const folio = alloc_large_folio()
  if (folio !== null) {
    lock_page(folio)
    folio.data = rpage.data
    folio.next_page!.data = backing_pages.pages[1]!.data
    return { first: folio, second: null, compound: true, oom: false }
  }
  const dpage0 = system_page(rpage)
  if (dpage0 === null) return OOM
  const dpage1 = system_page(backing_pages.pages[1]!)
  if (dpage1 !== null) return { first: dpage0, second: dpage1, compound: false, oom: false }
  unlock_page(dpage0)
  __free_page(dpage0, 'alloc')
  return OOM
}

/** alloc_page_vma(), lock_page() and copy_highpage(). */
function system_page(rpage: Backing): Page | null {
  if (mdevice.system_alloc_fails && may_fail()) return null
  return evicted_page(rpage)
}

/** The same with __GFP_NOFAIL. */
function evicted_page(rpage: Backing): Page {
  const dpage = alloc_page()
  lock_page(dpage)
  dpage.data = rpage.data
  return dpage
}

/** dmirror_device_evict_chunk() of a chunk of large folios. Where memory has no folio as large, it locks what it did not get. */
export function dmirror_device_evict_large_chunk(pgmap: DevPagemap): void {
  const src = migrate_range_by_pfn(pgmap.pages[0]!, pgmap.pages[1]!)
  const dst = evict_alloc_and_copy(src)
  const done = migrate_range_pages(null, src, dst, null)
  migrate_range_finalize(done, dst, null)
}

function evict_alloc_and_copy(src: SrcRange): DstRange {
  let dst = NO_DST
  const first = src.first
  if (first !== null && src.migrate) {
    const rpage = BACKING_PAGE(first)
    if (src.compound) {
      const folio = alloc_large_folio()
      BUG_ON(
        folio === null,
        'kernel NULL pointer dereference',
        'there is no ordinary folio as large as the device page that is evicted: folio_alloc() failed, and lock_page() is called with nothing',
      )
      lock_page(folio!)
      folio!.data = rpage.data
      folio!.next_page!.data = backing_pages.pages[1]!.data
      return { first: folio, second: null, compound: true }
    }
    dst = { first: evicted_page(rpage), second: null, compound: false }
  }
  const second = src.second
  if (second !== null && src.migrate_second) dst = { first: dst.first, second: evicted_page(BACKING_PAGE(second)), compound: false }
  return dst
}

/** dmirror_device_remove_chunks() of a chunk of large folios. */
export function dmirror_device_remove_large_chunk(pgmap: DevPagemap): void {
  spin_lock(mdevice.lock)
  mdevice.remove = true
  mdevice.free_pages = null
  mdevice.free_folios = null
  spin_unlock(mdevice.lock)
  dmirror_device_evict_large_chunk(pgmap)
  memunmap_pages(pgmap, 2)
}
