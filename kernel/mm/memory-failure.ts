// Memory errors in device pages: mm/memory-failure.c. That processes are sent a signal is left out: what counts here is that they
// lose their mappings.
import { BUG_ON, READ_ONCE } from 'putpage/model'
import { pmem_pagemap_memory_failure } from '../drivers/nvdimm/pmem.ts'
import { dax_lock_mapping_entry, dax_lock_page, dax_unlock_mapping_entry, dax_unlock_page, NO_FILE } from '../fs/dax-lock.ts'
import type { AddressSpace } from '../include/linux/fs.ts'
import type { DevPagemap } from '../include/linux/memremap.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { change } from '../switches.ts'
import { unmap_mapping_pages } from './memory.ts'
import { get_dev_pagemap, put_dev_pagemap } from './memremap.ts'

/** memory_failure() of a page that is not online memory: the reference of its pgmap keeps the struct page. True: recovered. */
export function memory_failure(page: Page): boolean {
  const pgmap = get_dev_pagemap()
  if (pgmap === null) return false
  const recovered = memory_failure_dev_pagemap(page, pgmap)
  put_dev_pagemap(pgmap)
  return recovered
}

/**
 * memory_failure_dev_pagemap().
 * Since a DAX device has a holder (in v6.0) the driver is asked first, which for persistent memory tells the holder.
 */
function memory_failure_dev_pagemap(page: Page, pgmap: DevPagemap): boolean {
  if (change.dax_holder_notify && pgmap.type === 'fsdax') {
    const rc = pmem_pagemap_memory_failure(page)
    if (rc !== 'unsupported') return rc === 'recovered'
  }
  return mf_generic_kill_procs(page)
}

/**
 * mf_generic_kill_procs(); part of memory_failure_dev_pagemap() in v5.10: with the entry locked, which keeps the page in its file,
 * every mapping goes. It finds one file: that of a page that two share it does not know.
 */
function mf_generic_kill_procs(page: Page): boolean {
  const cookie = dax_lock_page(page)
  if (cookie === NO_FILE) return false
  // Neither can be reached: a page of these types has no file.
  if (page.type === 'private' || page.type === 'coherent') {
    dax_unlock_page(page, cookie)
    return false
  }
  page.hwpoison = true
  const mapping = page.mapping
  BUG_ON(mapping === null, 'mapping->i_mmap', 'the page has no file of its own any more: another file that shares it came meanwhile')
  unmap_mapping_pages(mapping!, cookie === 1 ? 1 : 0)
  dax_unlock_page(page, cookie)
  return true
}

/** mf_dax_kill_procs() of one index: the holder knows the file. Memory that is about to be removed is not broken. */
export function mf_dax_kill_procs(mapping: AddressSpace, index: number, pre_remove: boolean): void {
  const cookie = dax_lock_mapping_entry(mapping, index === 1 ? 1 : 0)
  if (cookie >= 0) {
    const page = READ_ONCE(mapping.entries[index]).page
    if (!pre_remove && page !== null) page.hwpoison = true
    unmap_mapping_pages(mapping, index)
  }
  dax_unlock_mapping_entry(mapping, cookie)
}
