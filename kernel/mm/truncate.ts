// What truncation does to the entries of a file: mm/truncate.c.
import { atomic, READ_ONCE, WARN_ON_ONCE } from 'putpage/model'
import { dax_delete_mapping_entry, dax_invalidate_mapping_entry_sync } from '../fs/dax-layout.ts'
import type { AddressSpace } from '../include/linux/fs.ts'
import { change } from '../switches.ts'
import { unmap_mapping_pages, unmap_mapping_range } from './memory.ts'

/**
 * truncate_pagecache() to size 0, with the file system's fault lock held exclusively. The kernel unmaps a second time
 * afterwards, for copies of private mappings, which the model has none of.
 */
export function truncate_pagecache(mapping: AddressSpace): void {
  unmap_mapping_range(mapping, 0, 1)
  for (let i = 0; i < 2; i++) truncate_exceptional_entry(mapping, i)
}

/**
 * truncate_exceptional_pvec_entries(), truncate_folio_batch_exceptionals() of one index; the entry was found without a
 * lock. Since Linux commit bde708f1a65d ("fs/dax: always remove DAX page-cache entries when breaking layouts") (in v6.15)
 * the layout break should have left none.
 */
function truncate_exceptional_entry(mapping: AddressSpace, index: number): void {
  const entry = READ_ONCE(mapping.entries[index])
  if (entry.kind === 'none') return
  if (change.break_deletes_entries) {
    WARN_ON_ONCE(
      true,
      'a DAX entry is left after the layout break',
      'the layout break passed over an entry: somebody may hold its page, and its block is freed',
    )
  }
  dax_delete_mapping_entry(mapping, index)
}

/** truncate_pagecache_range() of one page: a hole is punched there. */
export function truncate_pagecache_range(mapping: AddressSpace, index: number): void {
  unmap_mapping_pages(mapping, index)
  truncate_exceptional_entry(mapping, index)
}

/** truncate_inode_pages_final(): the inode is being evicted, nothing maps it. */
export function truncate_inode_pages_final(mapping: AddressSpace): void {
  for (let i = 0; i < 2; i++) truncate_exceptional_entry(mapping, i)
}

/** mapping_empty(): one look at the root of i_pages, without a lock. */
function mapping_empty(mapping: AddressSpace): boolean {
  return atomic(() => READ_ONCE(mapping.entries[0]).kind === 'none' && READ_ONCE(mapping.entries[1]).kind === 'none')
}

/**
 * invalidate_inode_pages2_range() of one index of a DAX file: the entry goes first, then the mappings. To unmap first would not
 * help, as a fault may come in between; who needs that not to happen has to exclude faults.
 */
export function invalidate_inode_pages2_range(mapping: AddressSpace, index: number): void {
  if (mapping_empty(mapping)) return
  const entry = READ_ONCE(mapping.entries[index])
  if (entry.kind !== 'none') dax_invalidate_mapping_entry_sync(mapping, index)
  unmap_mapping_pages(mapping, index)
}
