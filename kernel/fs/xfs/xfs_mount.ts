// A mounted xfs, as far as a failure of its memory meets it: fs/xfs/xfs_mount.h, freeze_super() of fs/super.c.
import { array, type FixedArray, struct } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import { down_write, RwSemaphore, up_write } from '../../include/linux/rwsem.ts'

class XfsMount {
  /** xfs_has_rmapbt(): the reverse mapping btree that finds the owner of a block. Without it nobody is told of a failure. */
  rmapbt = false
  /** The inodes that are in memory. */
  files: FixedArray<AddressSpace | null, 2> = array(2, null)
  /** The lock of the AGF buffer of the one allocation group: who allocates, frees, or changes or asks the rmapbt. */
  agf = new RwSemaphore()
  /** SB_FREEZE_PAGEFAULT of sb->s_writers: write faults share it. */
  pagefaults = new RwSemaphore()
  /** xfs_is_shutdown(). */
  shutdown = false
}
export const xfs_mount = struct(XfsMount)

/** freeze_super(): waits for the write faults that are under way, and lets no other begin. Read faults go on. */
export function freeze_super(): void {
  down_write(xfs_mount.pagefaults)
}

/** thaw_super(). */
export function thaw_super(): void {
  up_write(xfs_mount.pagefaults)
}

/** xfs_alloc_read_agf() for a change or a query; without a reverse mapping btree the model has nobody it excludes. */
export function xfs_lock_agf(): void {
  if (xfs_mount.rmapbt) down_write(xfs_mount.agf)
}

/** The transaction ends, xfs_trans_brelse(). */
export function xfs_unlock_agf(): void {
  if (xfs_mount.rmapbt) up_write(xfs_mount.agf)
}
