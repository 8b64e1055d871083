// What xfs does when memory under its files fails, or is about to go: fs/xfs/xfs_notify_failure.c.
import type { FailureResult } from '../../drivers/dax/super.ts'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { mf_dax_kill_procs } from '../../mm/memory-failure.ts'
import { invalidate_inode_pages2_range } from '../../mm/truncate.ts'
import { freeze_super, thaw_super, xfs_lock_agf, xfs_mount, xfs_unlock_agf } from './xfs_mount.ts'

/** xfs_dax_notify_failure() of one page, or of the whole device (null). */
export function xfs_dax_notify_failure(page: Page | null, pre_remove: boolean): FailureResult {
  if (!xfs_mount.rmapbt) return 'unsupported'
  return xfs_dax_notify_ddev_failure(page, pre_remove)
}

/**
 * xfs_dax_notify_ddev_failure(): asks the reverse mapping btree for the owners of the range, with the AGF locked throughout, and
 * has every process that maps it killed and unmapped.
 * Since Linux commit fa422b353d21 ("mm, pmem, xfs: Introduce MF_MEM_PRE_REMOVE for unbind") a removal freezes the file system
 * first, so that no write fault makes a new mapping, takes the entries away too, and shuts the file system down.
 */
function xfs_dax_notify_ddev_failure(page: Page | null, pre_remove: boolean): FailureResult {
  if (pre_remove) freeze_super()
  xfs_lock_agf()
  for (let i = 0; i < 2; i++) {
    const file = xfs_mount.files[i]
    if (file !== null) xfs_dax_failure_fn(file, page, pre_remove)
  }
  xfs_unlock_agf()
  if (pre_remove) {
    xfs_mount.shutdown = true
    thaw_super()
  }
  return 'recovered'
}

/** xfs_rmap_query_range() with xfs_dax_failure_fn() for one file: neither the inode nor its MMAPLOCK is locked. */
function xfs_dax_failure_fn(file: AddressSpace, page: Page | null, pre_remove: boolean): void {
  for (let index = 0; index < 2; index++) {
    const block = file.blocks[index]
    if (block !== null && (page === null || page === block)) {
      mf_dax_kill_procs(file, index, pre_remove)
      if (pre_remove) invalidate_inode_pages2_range(file, index)
    }
  }
}
