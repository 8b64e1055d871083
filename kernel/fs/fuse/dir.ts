// Truncation of virtiofs files: fs/fuse/dir.c.
import type { AddressSpace } from '../../include/linux/fs.ts'
import { down_write, up_write } from '../../include/linux/rwsem.ts'
import { truncate_pagecache } from '../../mm/truncate.ts'
import { change } from '../../switches.ts'
import { free_file_blocks } from '../iomap/iter.ts'
import { fuse_dax_break_layouts } from './dax.ts'

/**
 * fuse_do_setattr() to size 0. The request makes the host truncate its file, before the guest drops its entries.
 * Until Linux commit 7851bf649d42 ("fuse: fix dax truncate/punch_hole fault path") (in v6.15, and in 6.1.y) it said 0 for
 * the end of the file, which is its first page only.
 */
export function fuse_do_setattr(inode: AddressSpace): void {
  down_write(inode.invalidate_lock)
  if (change.fuse_breaks_whole_file) fuse_dax_break_layouts(inode, 0, 1)
  else fuse_dax_break_layouts(inode, 0, 0)
  free_file_blocks(inode)
  inode.i_size = 0
  truncate_pagecache(inode)
  up_write(inode.invalidate_lock)
}
