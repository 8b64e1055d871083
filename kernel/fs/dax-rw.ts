// write(2) to a DAX file: the part of fs/dax.c that copies without a page table.
import type { AddressSpace } from '../include/linux/fs.ts'
import { invalidate_inode_pages2_range } from '../mm/truncate.ts'
import { change } from '../switches.ts'
import { iomap_end, iomap_iter, iomap_shared } from './iomap/iter.ts'

/**
 * dax_iomap_rw(), dax_iomap_iter() of a write to one page. False: no space. The caller holds the inode's lock, which faults do
 * not take, and no lock that they take. Where the write is a copy, since Linux commit f80e1668888f ("fsdax: invalidate pages
 * when CoW") (in v6.2), the old page is taken out of the file and of the page tables first; the file has its new block only
 * when the write is done.
 */
export function dax_iomap_rw(mapping: AddressSpace, index: number): boolean {
  const shared = mapping.reflink !== null && iomap_shared(mapping, index, true)
  const page = iomap_iter(mapping, index, true, shared)
  if (page === null) return false
  if (shared && change.dax_cow_invalidates) invalidate_inode_pages2_range(mapping, index)
  // dax_direct_access(), and the copy itself.
  iomap_end(mapping, index, page, shared)
  return true
}
