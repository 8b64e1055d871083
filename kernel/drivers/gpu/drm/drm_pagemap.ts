// Device memory of GPUs whose drivers share it out in large pieces: drivers/gpu/drm/drm_pagemap.c of v7.3 (Xe). One piece of video
// memory, of two pages; what is in it is the data of its device pages.
import { array, atomic, BUG_ON, type FixedArray, type Int, retire, revive, struct } from 'putpage/model'
import type { DevPagemap } from '../../../include/linux/memremap.ts'
import type { Page, Pmd, Vma } from '../../../include/linux/mm_types.ts'
import { trylock_page } from '../../../include/linux/pagemap.ts'
import { down_read, up_read } from '../../../include/linux/rwsem.ts'
import type { FaultResult } from '../../../mm/memory.ts'
import { zone_device_folio_init } from '../../../mm/memremap.ts'
import {
  type DstRange,
  migrate_range_by_pfn,
  migrate_range_finalize,
  migrate_range_pages,
  migrate_range_setup,
  type SrcRange,
} from '../../../mm/migrate_device-range.ts'
import { alloc_large_folio, alloc_page } from '../../../mm/page_alloc.ts'

/** struct drm_pagemap_zdd: what the folios of one piece of video memory have in common; the piece is freed with it. */
class DrmPagemapZdd {
  refcount: Int<0, 7> = 0
  /** devmem_allocation is set. */
  bound = false
}
export const zdd = struct(DrmPagemapZdd)

/** The piece of video memory, for the driver's allocator. */
class DrmVram {
  pgmap: DevPagemap | null = null
  free = true
  /** DRM_PAGEMAP_ZDD_FLAG_MIGRATED in zone_device_data of each page: its contents are in RAM already. */
  migrated: FixedArray<boolean, 2> = array(2, false)
  /** No ordinary folio of two pages is left: every migration to RAM falls back to single pages. */
  no_large_folios = false
}
export const vram = struct(DrmVram)

/** Set-up: the driver has a piece of video memory. */
export function drm_pagemap_init(pgmap: DevPagemap): void {
  vram.pgmap = pgmap
  retire(zdd)
}

/** drm_pagemap_zdd_get(), by kref_get(). */
function drm_pagemap_zdd_get(): void {
  atomic(() => {
    zdd.refcount += 1
  })
}

/** drm_pagemap_zdd_put(); the last one destroys it, and gives the video memory back. */
function drm_pagemap_zdd_put(): void {
  const left = atomic(() => {
    zdd.refcount -= 1
    return zdd.refcount
  })
  if (left > 0) return
  retire(zdd)
  vram.free = true
}

/** drm_pagemap_get_devmem_page(): the folio is made before it gets the driver's data. */
function drm_pagemap_get_devmem_page(page: Page, pgmap: DevPagemap, order: Int<0, 1>): void {
  zone_device_folio_init(page, pgmap, order)
  drm_pagemap_zdd_get()
  // folio_set_zone_device_data()
  vram.migrated[place(page)] = false
}

/** Which page of the piece it is. */
function place(page: Page): Int<0, 1> {
  return page === vram.pgmap!.pages[0] ? 0 : 1
}

/** drm_pagemap_retire_migrated_pages(): what was migrated is marked before its folio is unlocked. */
function drm_pagemap_retire_migrated_pages(src: SrcRange): void {
  if (src.first !== null && src.migrate) vram.migrated[place(src.first)] = true
  if (src.second !== null && src.migrate_second) vram.migrated[place(src.second)] = true
}

/** drm_pagemap_skip_retired_pages(): who still holds such a page for a moment must not have it migrated once more. */
function drm_pagemap_skip_retired_pages(src: SrcRange): SrcRange {
  const first = src.first
  const second = src.second
  const skip_first = first !== null && src.migrate && vram.migrated[place(first)]
  const skip_second = second !== null && src.migrate_second && vram.migrated[place(second)]
  return {
    first,
    migrate: src.migrate && !skip_first,
    compound: src.compound,
    second,
    migrate_second: src.migrate_second && !skip_second,
  }
}

/** The driver's allocator, and drm_pagemap_zdd_alloc(): false if the video memory is in use. */
function alloc_vram(): boolean {
  return atomic(() => {
    const got = vram.free
    if (got) {
      vram.free = false
      revive(zdd)
      zdd.refcount = 1
      zdd.bound = true
    }
    return got
  })
}

/** drm_pagemap_migrate_to_devmem() of a range where nothing is yet, as one folio or page by page. */
export function drm_pagemap_migrate_to_devmem(pmd: Pmd, large: boolean): void {
  const vma = pmd.vmas[0]!
  down_read(vma.mm.mmap_lock)
  if (alloc_vram()) {
    const src = migrate_range_setup(pmd, null)
    const dst = populate_devmem(src, large)
    const done = migrate_range_pages(pmd, src, dst, null)
    migrate_range_finalize(done, dst, null)
    drm_pagemap_zdd_put()
  }
  up_read(vma.mm.mmap_lock)
}

const NO_DST: DstRange = { first: null, second: null, compound: false }

function populate_devmem(src: SrcRange, large: boolean): DstRange {
  if (!src.migrate || src.first !== null) return NO_DST
  const pgmap = vram.pgmap!
  const page0 = pgmap.pages[0]!
  if (large) {
    drm_pagemap_get_devmem_page(page0, pgmap, 1)
    return { first: page0, second: null, compound: true }
  }
  const page1 = pgmap.pages[1]!
  drm_pagemap_get_devmem_page(page0, pgmap, 0)
  drm_pagemap_get_devmem_page(page1, pgmap, 0)
  return { first: page0, second: page1, compound: false }
}

/**
 * drm_pagemap_migrate_populate_ram_pfn(): a large source gets a large folio, or single pages if there is none; with the copy to them.
 */
function drm_pagemap_migrate_populate_ram_pfn(src: SrcRange): DstRange {
  let dst = NO_DST
  const first = src.first
  if (first !== null && src.migrate) {
    if (src.compound) {
      let folio: Page | null = null
      if (!vram.no_large_folios) folio = alloc_large_folio()
      if (folio !== null) {
        BUG_ON(!trylock_page(folio), '!folio_trylock(page_folio(page))')
        folio.data = first.data
        folio.next_page!.data = first.next_page!.data
        return { first: folio, second: null, compound: true }
      }
      return { first: ram_page(first), second: ram_page(first.next_page!), compound: false }
    }
    dst = { first: ram_page(first), second: null, compound: false }
  }
  const second = src.second
  if (second !== null && src.migrate_second) dst = { first: dst.first, second: ram_page(second), compound: false }
  return dst
}

function ram_page(from: Page): Page {
  const page = alloc_page()
  BUG_ON(!trylock_page(page), '!folio_trylock(page_folio(page))')
  page.data = from.data
  return page
}

/** drm_pagemap_migrate_to_ram(): the whole piece comes back, whichever page of it the CPU wants. @role */
export function drm_pagemap_migrate_to_ram(vma: Vma, page: Page): FaultResult {
  // zdd->devmem_allocation->size
  BUG_ON(!zdd.bound, 'zdd->devmem_allocation')
  const pmd = vma.pmd!
  const collected = migrate_range_setup(pmd, page)
  // Raced with another CPU fault: nothing was collected.
  if (collected.first === null && collected.second === null) return 'done'
  const src = drm_pagemap_skip_retired_pages(collected)
  const dst = drm_pagemap_migrate_populate_ram_pfn(src)
  const done = migrate_range_pages(pmd, src, dst, page)
  drm_pagemap_retire_migrated_pages(done)
  migrate_range_finalize(done, dst, page)
  return 'done'
}

/** drm_pagemap_evict_to_ram(), one attempt: by page frame, without any lock of the process. */
export function drm_pagemap_evict_to_ram(): void {
  const pgmap = vram.pgmap!
  const src = drm_pagemap_skip_retired_pages(migrate_range_by_pfn(pgmap.pages[0]!, pgmap.pages[1]!))
  const dst = drm_pagemap_migrate_populate_ram_pfn(src)
  const done = migrate_range_pages(null, src, dst, null)
  drm_pagemap_retire_migrated_pages(done)
  migrate_range_finalize(done, dst, null)
}

/** drm_pagemap_folio_free(). */
export function drm_pagemap_folio_free(): void {
  drm_pagemap_zdd_put()
}

/** drm_pagemap_folio_split(). */
export function drm_pagemap_folio_split(folio: Page, new_folio: Page | null): void {
  if (new_folio === null) return
  new_folio.pgmap = folio.pgmap
  drm_pagemap_zdd_get()
  vram.migrated[place(new_folio)] = vram.migrated[place(folio)]
}
