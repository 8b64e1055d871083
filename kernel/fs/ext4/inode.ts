// Truncation of ext4 files on a DAX device: fs/ext4/inode.c.
import type { Int } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import { down_write, up_write } from '../../include/linux/rwsem.ts'
import { truncate_inode_pages_final, truncate_pagecache, truncate_pagecache_range } from '../../mm/truncate.ts'
import { change } from '../../switches.ts'
import { dax_break_layout, dax_break_layout_final, dax_layout_busy_page_range, wait_page_idle } from '../dax-layout.ts'
import { free_file_block, free_file_blocks } from '../iomap/iter.ts'

/**
 * ext4_break_layouts(), under the invalidate_lock.
 * Until Linux commit b1f382178d15 ("ext4: close race between direct IO and ext4_break_layouts()") (in v4.19) it looked
 * again only if it had slept: ext4_wait_dax_page() set `retry`.
 */
export function ext4_break_layouts(inode: AddressSpace): void {
  if (change.dax_break_layout) return dax_break_layout(inode, 0, 1)
  while (true) {
    const page = dax_layout_busy_page_range(inode, 0, 1)
    if (page === null) return
    const retry = wait_page_idle(inode, page)
    if (!change.ext4_break_layouts_rescans && !retry) return
  }
}

/** ext4_setattr() to size 0. */
export function ext4_setattr(inode: AddressSpace): void {
  down_write(inode.invalidate_lock)
  ext4_break_layouts(inode)
  inode.i_size = 0
  truncate_pagecache(inode)
  ext4_truncate(inode)
  up_write(inode.invalidate_lock)
}

/**
 * ext4_fallocate() with FALLOC_FL_PUNCH_HOLE, ext4_punch_hole() of one page. Before v6.15 the latter breaks the layout itself. It is the
 * layout of the whole file, wherever the hole is.
 */
export function ext4_fallocate(inode: AddressSpace, index: Int<0, 1>): void {
  down_write(inode.invalidate_lock)
  if (change.ext4_breaks_range) dax_break_layout(inode, index, index)
  else ext4_break_layouts(inode)
  truncate_pagecache_range(inode, index)
  free_file_block(inode, index)
  up_write(inode.invalidate_lock)
}

/** ext4_evict_inode() of a file without a name: the last user closed it. */
export function ext4_evict_inode(inode: AddressSpace): void {
  dax_break_layout_final(inode)
  truncate_inode_pages_final(inode)
  inode.i_size = 0
  ext4_truncate(inode)
}

/** ext4_truncate(): the blocks may belong to another file from here on. */
function ext4_truncate(inode: AddressSpace): void {
  free_file_blocks(inode)
}
