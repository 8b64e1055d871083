// Truncation of xfs files: fs/xfs/xfs_iops.c.
import type { AddressSpace } from '../../include/linux/fs.ts'
import { down_write, up_write } from '../../include/linux/rwsem.ts'
import { truncate_pagecache } from '../../mm/truncate.ts'
import { free_file_blocks } from '../iomap/iter.ts'
import { xfs_break_layouts } from './xfs_file.ts'

/** do_truncate() of an xfs file, xfs_vn_setattr() to size 0: XFS_IOLOCK_EXCL, XFS_MMAPLOCK_EXCL. */
export function xfs_vn_setattr(inode: AddressSpace): void {
  down_write(inode.iolock)
  down_write(inode.invalidate_lock)
  xfs_break_layouts(inode)
  xfs_setattr_size(inode)
  up_write(inode.invalidate_lock)
  up_write(inode.iolock)
}

/** xfs_setattr_size(): truncate_setsize(), then xfs_itruncate_extents(). */
function xfs_setattr_size(inode: AddressSpace): void {
  inode.i_size = 0
  truncate_pagecache(inode)
  free_file_blocks(inode)
}
