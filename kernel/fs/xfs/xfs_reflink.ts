// Sharing blocks: fs/xfs/xfs_reflink.c, the locks of two inodes in fs/xfs/xfs_inode.c, xfs_file_remap_range() of fs/xfs/xfs_file.c.
import { atomic } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import { page_ref_count } from '../../include/linux/page_ref.ts'
import { down_write, downgrade_write, up_read, up_write } from '../../include/linux/rwsem.ts'
import { truncate_pagecache } from '../../mm/truncate.ts'
import { change } from '../../switches.ts'
import { dax_break_layout, dax_break_layout_nowait, dax_layout_busy_page_range, wait_page_idle } from '../dax-layout.ts'
import { free_blocks } from '../iomap/iter.ts'

/**
 * xfs_file_remap_range(), FICLONERANGE: `dest` gets the block that `src` has at this index. Nobody maps either file when the
 * locks are there; those of `src` are shared from then on, so that it can be read meanwhile. The block map changes at once,
 * under both ILOCKs; what `dest` had is free then.
 */
export function xfs_file_remap_range(src: AddressSpace, dest: AddressSpace, index: number): void {
  xfs_reflink_remap_prep(src, dest)
  atomic(() => {
    const old = dest.blocks[index]
    dest.blocks[index] = src.blocks[index]
    if (old !== null && old !== src.blocks[index]) free_blocks.block = old
  })
  xfs_iunlock2_remapping(src, dest)
}

/** xfs_reflink_remap_prep(), with its xfs_flush_unmap_range() of `dest`, and xfs_ilock_demote(). */
function xfs_reflink_remap_prep(src: AddressSpace, dest: AddressSpace): void {
  xfs_ilock2_io_mmap(src, dest)
  truncate_pagecache(dest)
  src.remapping = true
  downgrade_write(src.invalidate_lock)
  downgrade_write(src.iolock)
}

/** xfs_ilock2_io_mmap(), xfs_iolock_two_inodes_and_break_layout(). The first one has the lower number. */
export function xfs_ilock2_io_mmap(ip1: AddressSpace, ip2: AddressSpace): void {
  down_write(ip1.iolock)
  down_write(ip2.iolock)
  while (!xfs_mmaplock_two_inodes_and_break_dax_layout(ip1, ip2)) {
    // goto again
  }
}

/**
 * xfs_mmaplock_two_inodes_and_break_dax_layout(): both MMAPLOCKs, and no page of either file that somebody holds. It sleeps for
 * the first file; for the second it drops both locks, and tries again without a pause. False: try again.
 */
function xfs_mmaplock_two_inodes_and_break_dax_layout(ip1: AddressSpace, ip2: AddressSpace): boolean {
  down_write(ip1.invalidate_lock)
  if (xfs_break_dax_layouts(ip1)) {
    up_write(ip1.invalidate_lock)
    return false
  }
  down_write(ip2.invalidate_lock)
  if (breaks_layout_of_second(ip2)) return true
  up_write(ip2.invalidate_lock)
  up_write(ip1.invalidate_lock)
  return false
}

/** xfs_break_dax_layouts() of the first file. True is its `retry`, which it had until it was dax_break_layout() alone. */
function xfs_break_dax_layouts(inode: AddressSpace): boolean {
  if (change.dax_break_layout) {
    dax_break_layout(inode, 0, 1)
    return false
  }
  const page = dax_layout_busy_page_range(inode, 0, 1)
  if (page === null) return false
  wait_page_idle(inode, page)
  return true
}

function breaks_layout_of_second(inode: AddressSpace): boolean {
  if (change.dax_break_layout) return dax_break_layout_nowait(inode)
  const page = dax_layout_busy_page_range(inode, 0, 1)
  return page === null || page_ref_count(page) === 1
}

/** xfs_iunlock2_remapping(). */
function xfs_iunlock2_remapping(src: AddressSpace, dest: AddressSpace): void {
  src.remapping = false
  up_read(src.invalidate_lock)
  up_write(dest.invalidate_lock)
  up_read(src.iolock)
  up_write(dest.iolock)
}
