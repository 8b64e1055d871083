// Swapping what two files have: fs/xfs/xfs_bmap_util.c.
import { atomic } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import { down_write, up_write } from '../../include/linux/rwsem.ts'
import { truncate_pagecache } from '../../mm/truncate.ts'
import { change } from '../../switches.ts'
import { xfs_ilock2_io_mmap } from './xfs_reflink.ts'

/**
 * xfs_swap_extents(), XFS_IOC_SWAPEXT: `ip` gets the blocks of `tip` and the other way round, as xfs_fsr does. IO and faults of both
 * files are held off; nobody asks whether a page is held.
 */
export function xfs_swap_extents(ip: AddressSpace, tip: AddressSpace): void {
  lock_both(ip, tip)
  xfs_swap_extent_flush(ip)
  xfs_swap_extent_flush(tip)
  atomic(() => {
    for (let i = 0; i < 2; i++) {
      const block = ip.blocks[i]
      ip.blocks[i] = tip.blocks[i]
      tip.blocks[i] = block
    }
  })
  up_write(tip.invalidate_lock)
  up_write(ip.invalidate_lock)
  up_write(tip.iolock)
  up_write(ip.iolock)
}

/** lock_two_nondirectories(), filemap_invalidate_lock_two() (in v5.10 both MMAPLOCKs). `ip` has the lower address, and number. */
function lock_both(ip: AddressSpace, tip: AddressSpace): void {
  if (change.xfs_swap_breaks_layout) return xfs_ilock2_io_mmap(ip, tip)
  down_write(ip.iolock)
  down_write(tip.iolock)
  down_write(ip.invalidate_lock)
  down_write(tip.invalidate_lock)
}

/** xfs_swap_extent_flush(): truncate_pagecache_range() of the whole file; the write-back before it is left out. */
function xfs_swap_extent_flush(inode: AddressSpace): void {
  truncate_pagecache(inode)
}
