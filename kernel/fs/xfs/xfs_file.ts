// Layout breaks and faults of xfs files on a DAX device: fs/xfs/xfs_file.c (layout breaks: xfs_inode.c in v7.3).
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Vma } from '../../include/linux/mm_types.ts'
import { down_read, down_write, up_read, up_write } from '../../include/linux/rwsem.ts'
import type { FaultResult } from '../../mm/memory.ts'
import { change } from '../../switches.ts'
import { dax_iomap_pmd_fault, dax_iomap_pte_fault } from '../dax.ts'
import { dax_break_layout, dax_layout_busy_page_range, wait_page_idle } from '../dax-layout.ts'
import { dax_iomap_rw } from '../dax-rw.ts'
import { xfs_mount } from './xfs_mount.ts'

/**
 * xfs_break_layouts(BREAK_UNMAP) with its xfs_break_dax_layouts(), under XFS_MMAPLOCK_EXCL. Leases are not modelled.
 * "xfs: Close race between direct IO and xfs_break_layouts()" (in v4.19) sets `retry` before it waits; before,
 * xfs_wait_dax_page() set it while it slept.
 */
export function xfs_break_layouts(inode: AddressSpace): void {
  if (change.dax_break_layout) return dax_break_layout(inode, 0, 1)
  while (true) {
    const page = dax_layout_busy_page_range(inode, 0, 1)
    if (page === null) return
    const slept = wait_page_idle(inode, page)
    if (!change.xfs_break_layouts_rescans && !slept) return
  }
}

/** xfs_file_dax_write() of one page: under XFS_IOLOCK_EXCL; XFS_MMAPLOCK is not held. `data` is what is written. */
export function xfs_file_dax_write(inode: AddressSpace, index: number, data = 0): boolean {
  down_write(inode.iolock)
  if (change.dax_cow_excludes_faults) down_write(inode.invalidate_lock)
  const written = dax_iomap_rw(inode, index, data)
  if (change.dax_cow_excludes_faults) up_write(inode.invalidate_lock)
  up_write(inode.iolock)
  return written
}

/**
 * XFS_MMAPLOCK of a fault: shared, but a write fault waits for a remap that goes on by taking it exclusively
 * (xfs_ilock_for_write_fault(), xfs_write_fault()). So does a read fault of a DAX file in v6.1. True: it is held exclusively.
 */
function xfs_ilock_for_fault(inode: AddressSpace, write: boolean): boolean {
  down_read(inode.invalidate_lock)
  if (!write && change.xfs_dax_read_ignores_remap) return false
  if (!inode.remapping) return false
  up_read(inode.invalidate_lock)
  down_write(inode.invalidate_lock)
  return true
}

function xfs_iunlock_of_fault(inode: AddressSpace, exclusive: boolean): void {
  if (exclusive) up_write(inode.invalidate_lock)
  else up_read(inode.invalidate_lock)
}

/** xfs_filemap_huge_fault() of PMD order. */
export function xfs_filemap_huge_fault(vma: Vma, write: boolean): FaultResult {
  const inode = vma.file!
  if (write) down_read(xfs_mount.pagefaults)
  const exclusive = xfs_ilock_for_fault(inode, write)
  const result = dax_iomap_pmd_fault(vma, write)
  xfs_iunlock_of_fault(inode, exclusive)
  if (write) up_read(xfs_mount.pagefaults)
  return result
}

/** xfs_filemap_fault(), xfs_dax_fault_locked(): under XFS_MMAPLOCK; a write fault waits while the file system is frozen. */
export function xfs_filemap_fault(vma: Vma, write: boolean): FaultResult {
  const inode = vma.file!
  if (write) down_read(xfs_mount.pagefaults)
  const exclusive = xfs_ilock_for_fault(inode, write)
  const result = dax_iomap_pte_fault(vma, write)
  xfs_iunlock_of_fault(inode, exclusive)
  if (write) up_read(xfs_mount.pagefaults)
  return result
}
