// Block look-up of xfs for a DAX fault: fs/xfs/xfs_iomap.c.
import { atomic } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { free_blocks } from '../iomap/iter.ts'
import { xfs_lock_agf, xfs_mount, xfs_unlock_agf } from './xfs_mount.ts'

/**
 * xfs_read_iomap_begin(), xfs_dax_write_iomap_begin(): the block behind the index; null is an error. A write gives a hole a
 * block, and makes an unwritten block a written one: both are changes of the reverse mapping btree, with the AGF locked.
 */
export function xfs_iomap_begin(mapping: AddressSpace, index: number, write: boolean): Page | null {
  if (xfs_mount.shutdown) return null
  const page = mapping.blocks[index]
  if (!write || (page !== null && !mapping.unwritten[index])) return page
  return xfs_iomap_write_direct(mapping, index)
}

function xfs_iomap_write_direct(mapping: AddressSpace, index: number): Page | null {
  xfs_lock_agf()
  const got = atomic(() => {
    let block = mapping.blocks[index]
    if (block === null) {
      block = free_blocks.block
      free_blocks.block = null
      mapping.blocks[index] = block
    }
    mapping.unwritten[index] = false
    return block
  })
  xfs_unlock_agf()
  return got
}
