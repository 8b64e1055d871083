// The driver of persistent memory: drivers/nvdimm/pmem.c.
import type { DevPagemap } from '../../include/linux/memremap.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { memunmap_pages } from '../../mm/memremap.ts'
import { dax_holder_notify_failure, type FailureResult, kill_dax } from '../dax/super.ts'

/** pmem_pagemap_memory_failure(), pgmap->ops->memory_failure(). */
export function pmem_pagemap_memory_failure(page: Page): FailureResult {
  return dax_holder_notify_failure(page, false)
}

/**
 * The device of `nr` pages is unbound: pmem_release_disk(), then, as what was set up first goes last, devm_memremap_pages_release(). Of
 * del_gendisk(), which tells the file system that its disk is dead, no file system takes a mapping away.
 */
export function pmem_unbind(pgmap: DevPagemap, nr: number): void {
  kill_dax()
  memunmap_pages(pgmap, nr)
}
