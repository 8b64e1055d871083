// The end of an inode of xfs: fs/xfs/xfs_super.c.
import type { AddressSpace } from '../../include/linux/fs.ts'
import { truncate_inode_pages_final } from '../../mm/truncate.ts'
import { dax_break_layout_final } from '../dax-layout.ts'
import { free_file_blocks } from '../iomap/iter.ts'

/**
 * xfs_fs_evict_inode() of a file without a name, whose last user closed it (before v6.15 evict() itself); then xfs_inactive_truncate(),
 * which a worker does later.
 */
export function xfs_fs_evict_inode(inode: AddressSpace): void {
  dax_break_layout_final(inode)
  truncate_inode_pages_final(inode)
  inode.i_size = 0
  free_file_blocks(inode)
}
