// The DAX device under a mounted file system, and the file system that is told when its memory goes: drivers/dax/super.c.
import { READ_ONCE, struct } from 'putpage/model'
import { xfs_dax_notify_failure } from '../../fs/xfs/xfs_notify_failure.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { SrcuStruct, srcu_read_lock, srcu_read_unlock, synchronize_srcu } from '../../include/linux/srcu.ts'
import { change } from '../../switches.ts'

/** Who is told: dax_dev->holder_ops. Of the file systems of the model only xfs gives any. */
export type DaxHolder = 'none' | 'xfs'

/** What came of a memory failure: `unsupported` is -EOPNOTSUPP, which lets somebody else try. */
export type FailureResult = 'recovered' | 'failed' | 'unsupported'

/** struct dax_device: one a scenario. */
class DaxDevice {
  /** DAXDEV_ALIVE. */
  alive = true
  /** Set by the mount of a file system that wants to be told; kernels without holders do not look at it. */
  holder: DaxHolder = 'none'
  dax_srcu = new SrcuStruct()
  /** pmem->bb: the block that is known to be bad. Only scenarios of bad memory have one. */
  bad_block: Page | null = null
}
export const dax_dev = struct(DaxDevice)

/**
 * dax_direct_access() of a page, under dax_read_lock(): false (-ENXIO) once the device is dead, or (-EHWPOISON, before v6.0 -EIO) for a
 * block that is_bad_pmem() knows. The look is all the read section does, as far as the model goes, so the section is left out; what it
 * gives is used long after it.
 */
export function dax_direct_access(page: Page): boolean {
  return dax_dev.alive && dax_dev.bad_block !== page
}

/** dax_holder_notify_failure() of one page, or of the whole device (null). */
export function dax_holder_notify_failure(page: Page | null, pre_remove: boolean): FailureResult {
  srcu_read_lock(dax_dev.dax_srcu)
  let rc: FailureResult = 'failed'
  if (dax_dev.alive) {
    const holder = READ_ONCE(dax_dev.holder)
    if (holder === 'none') rc = 'unsupported'
    else rc = xfs_dax_notify_failure(page, pre_remove)
  }
  srcu_read_unlock(dax_dev.dax_srcu)
  return rc
}

/**
 * kill_dax(): from here on nothing new is mapped.
 * Since the holder exists (in v6.0) it is told first, as of a failure of all its memory. Since Linux commit fa422b353d21 ("mm,
 * pmem, xfs: Introduce MF_MEM_PRE_REMOVE for unbind") it is told that the device is about to go.
 */
export function kill_dax(): void {
  if (change.dax_holder_notify || change.fsdax_shootdown) {
    if (dax_dev.holder !== 'none') dax_holder_notify_failure(null, change.fsdax_shootdown)
  }
  dax_dev.alive = false
  synchronize_srcu(dax_dev.dax_srcu)
  dax_dev.holder = 'none'
}
