// write(2) to a DAX file: the part of fs/dax.c that copies without a page table.
import { dax_direct_access } from '../drivers/dax/super.ts'
import type { AddressSpace } from '../include/linux/fs.ts'
import { invalidate_inode_pages2_range } from '../mm/truncate.ts'
import { change } from '../switches.ts'
import { dax_iomap_copy_around } from './dax.ts'
import { type Iomap, iomap_end, iomap_iter } from './iomap/iter.ts'

/**
 * dax_iomap_rw(), dax_iomap_iter() of a write to one page. False: no space, or an error. The caller holds the inode's lock, which faults
 * do not take, and no lock that they take. Where the write is a copy, since Linux commit f80e1668888f ("fsdax: invalidate pages
 * when CoW") (in v6.2), the old page is taken out of the file and of the page tables first; the file has its new block only
 * when the write is done.
 */
export function dax_iomap_rw(mapping: AddressSpace, index: number, data: number): boolean {
  const iomap = iomap_iter(mapping, index, true)
  if (iomap.page === null) return false
  if (iomap.shared && change.dax_cow_invalidates) invalidate_inode_pages2_range(mapping, index)
  const written = dax_iomap_iter(iomap, data)
  iomap_end(mapping, index, true, written)
  return written
}

/** The rest of dax_iomap_iter(): the old content, then what is written. Of a write to all of the page the kernel copies the old content, too. */
function dax_iomap_iter(iomap: Iomap, data: number): boolean {
  const page = iomap.page!
  if (!dax_direct_access(page)) return false
  if (iomap.shared && !dax_iomap_copy_around(iomap)) return false
  page.data = data
  return true
}
