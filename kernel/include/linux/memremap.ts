// struct dev_pagemap and the page type predicates: include/linux/memremap.h.
import { array, type FixedArray, type Int, struct } from 'putpage/model'
import { change } from '../../switches.ts'
import type { Page, PageType } from './mm_types.ts'
import { PercpuRef } from './percpu-refcount.ts'

/** Whose callbacks pgmap->ops leads to: dev_pagemap_ops.ts. `none` is a null pointer. */
export type DevPagemapOps = 'none' | 'test_hmm' | 'nouveau' | 'amdkfd' | 'uvmem' | 'p2pdma' | 'drm_pagemap'

export class DevPagemap {
  type: PageType = 'fsdax'
  ops: DevPagemapOps = 'none'
  ref = new PercpuRef()
  /** The pages of the range, at most two. */
  pages: FixedArray<Page | null, 2> = array(2, null)
  /** The order of its pages: 1 if they are compound ones, of two. Only device-dax asks for them. */
  vmemmap_shift: Int<0, 1> = 0
  /** pgmap->ref points to the reference: a pointer until b80892ca022e, and cleared when the pgmap goes, if it is its own. */
  ref_set = true
}

/** pgmap_array: finds the pgmap of a pfn under RCU. One range a scenario. */
class PgmapArray {
  entry: DevPagemap | null = null
}
export const pgmap_array = struct(PgmapArray)

/** is_zone_device_page(). */
export function is_zone_device_page(page: Page): boolean {
  return page.type !== 'ram'
}

/** is_device_private_page(). */
export function is_device_private_page(page: Page): boolean {
  return page.type === 'private'
}

/** is_device_coherent_page(). */
export function is_device_coherent_page(page: Page): boolean {
  return page.type === 'coherent'
}

/** A page that a driver allocates and frees, and that belongs to anonymous memory in between. */
export function is_device_private_or_coherent_page(page: Page): boolean {
  return page.type === 'private' || page.type === 'coherent'
}

/** The same of a pgmap: `MEMORY_DEVICE_PRIVATE` or `_COHERENT`. */
export function pgmap_private_or_coherent(pgmap: DevPagemap): boolean {
  return pgmap.type === 'private' || pgmap.type === 'coherent'
}

/** is_pci_p2pdma_page(), folio_is_pci_p2pdma(). */
export function is_pci_p2pdma_page(page: Page): boolean {
  return page.type === 'p2pdma'
}

/**
 * page_is_devmap_managed(): the pages whose puts go through the hook of put_page(). The static key is taken as on, which
 * it is while a pgmap of these types exists.
 * Since Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") only FS_DAX pages are.
 */
export function page_is_devmap_managed(page: Page): boolean {
  if (page.type === 'fsdax') return !change.no_devmap_managed_hook
  return is_device_private_or_coherent_page(page) && !change.free_zone_device_page_at_zero
}

/**
 * What the last put of a page of this type means: true if it frees the page, and then memunmap_pages() puts the pgmap's
 * references in bulk and looks at no page; false if only memunmap_pages() makes it, and it gives back the reference that each
 * page holds of its pgmap. Linux commit 27674ef6c73f ("mm: remove the extra ZONE_DEVICE struct page refcount") (in v5.18)
 * changed it for all types at once; a type that rests at 0 cannot do without.
 */
export function comes_to_free_zone_device_page(type: PageType): boolean {
  // By switches first: where all are off no put needs to be asked what type of page it is, and no free path is compiled into it.
  return (
    change.memunmap_puts_in_bulk ||
    (change.free_zone_device_page_at_zero && (type === 'private' || type === 'coherent' || type === 'ram')) ||
    (change.fsdax_free_at_zero && type === 'fsdax') ||
    (change.p2pdma_free_at_zero && type === 'p2pdma') ||
    (change.generic_free_at_zero && type === 'generic')
  )
}
