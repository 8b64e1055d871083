// struct dev_pagemap and the page type predicates: include/linux/memremap.h.
import { array, type FixedArray, struct } from 'putpage/model'
import { change } from '../../switches.ts'
import type { Page, PageType } from './mm_types.ts'
import { PercpuRef } from './percpu-refcount.ts'

/** Whose callbacks pgmap->ops leads to: dev_pagemap_ops.ts. `none` is a null pointer. */
export type DevPagemapOps = 'none' | 'test_hmm' | 'uvmem' | 'p2pdma'

export class DevPagemap {
  type: PageType = 'fsdax'
  ops: DevPagemapOps = 'none'
  ref = new PercpuRef()
  /** The pages of the range, at most two. */
  pages: FixedArray<Page | null, 2> = array(2, null)
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
  if (change.no_devmap_managed_hook) return false
  if (change.free_zone_device_page_at_zero) return page.type === 'fsdax'
  return page.type === 'fsdax' || page.type === 'private'
}
