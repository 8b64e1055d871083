// Block look-up of xfs for DAX: fs/xfs/xfs_iomap.c, with what it asks of fs/xfs/xfs_reflink.c about blocks that files share. The
// ILOCK, which keeps the block map of one file as it is during one look-up or one change, is an atomic step.
import { atomic } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { change } from '../../switches.ts'
import { block_of_other_file, free_blocks, IOMAP_NONE, type Iomap } from '../iomap/iter.ts'
import { xfs_lock_agf, xfs_mount, xfs_unlock_agf } from './xfs_mount.ts'

/**
 * xfs_read_iomap_begin() with xfs_reflink_trim_around_shared(), which asks the reference count btree, with the AGF locked.
 * Until Linux commit c6f0b395b211 ("fsdax,xfs: set the shared flag when file extent is shared") (in v6.2) a read did not ask.
 */
export function xfs_read_iomap_begin(mapping: AddressSpace, index: number): Iomap {
  if (xfs_mount.shutdown) return IOMAP_NONE
  const asks = mapping.reflink !== null && change.dax_shared_flag_for_reads
  if (asks) xfs_lock_agf()
  const iomap: Iomap = atomic(() => {
    const page = mapping.blocks[index]
    return { page, shared: asks && page !== null && block_of_other_file(mapping, index, page), srcmap: null }
  })
  if (asks) xfs_unlock_agf()
  return iomap
}

/**
 * xfs_dax_write_iomap_begin(), xfs_direct_write_iomap_begin(): a shared block gets one to be copied to in the CoW fork, if there is
 * none yet. A hole gets a block, and an unwritten block becomes a written one: changes of the reverse mapping btree, with the AGF
 * locked.
 */
export function xfs_dax_write_iomap_begin(mapping: AddressSpace, index: number): Iomap {
  if (xfs_mount.shutdown) return IOMAP_NONE
  if (mapping.reflink !== null) {
    const cow = xfs_reflink_allocate_cow(mapping, index)
    if (cow.shared) return cow
  }
  const page = mapping.blocks[index]
  if (page !== null && !mapping.unwritten[index]) return { page, shared: false, srcmap: null }
  return xfs_iomap_write_direct(mapping, index)
}

/**
 * xfs_reflink_allocate_cow() where imap_needs_cow(). What is in the CoW fork already is used again, whoever put it there: a fault and a
 * write(2) of the same page at once are given the same block, each to copy to.
 */
function xfs_reflink_allocate_cow(mapping: AddressSpace, index: number): Iomap {
  const found = xfs_find_cow_extent(mapping, index)
  if (found.shared) return found
  xfs_lock_agf()
  const cow: Iomap = atomic(() => {
    const srcmap = mapping.blocks[index]
    const shared = srcmap !== null && block_of_other_file(mapping, index, srcmap)
    if (!shared) return IOMAP_NONE
    // The ILOCK was dropped for the transaction: somebody else may have been first.
    if (mapping.cow[index] === null) {
      mapping.cow[index] = free_blocks.block
      free_blocks.block = null
    }
    return { page: mapping.cow[index], shared: true, srcmap }
  })
  xfs_unlock_agf()
  return cow
}

function xfs_find_cow_extent(mapping: AddressSpace, index: number): Iomap {
  return atomic(() => {
    const page = mapping.cow[index]
    if (page === null) return IOMAP_NONE
    return { page, shared: true, srcmap: mapping.blocks[index] }
  })
}

function xfs_iomap_write_direct(mapping: AddressSpace, index: number): Iomap {
  xfs_lock_agf()
  const page = atomic(() => {
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
  return { page, shared: false, srcmap: null }
}

/**
 * Both for a PMD: the first of two blocks. A hole, what is unwritten and a copy are left to faults of single pages; an extent of which
 * files share a part only is cut where that begins or ends.
 */
export function xfs_iomap_begin_pmd(mapping: AddressSpace, write: boolean): Iomap {
  if (xfs_mount.shutdown) return IOMAP_NONE
  if (write && (mapping.unwritten[0] || mapping.unwritten[1])) return IOMAP_NONE
  const asks = mapping.reflink !== null && (write || change.dax_shared_flag_for_reads)
  if (asks) xfs_lock_agf()
  const iomap = atomic(() => extent_of_two(mapping, write, asks))
  if (asks) xfs_unlock_agf()
  return iomap
}

function extent_of_two(mapping: AddressSpace, write: boolean, asks: boolean): Iomap {
  const shared = asks && is_shared(mapping, 0)
  if (asks && shared !== is_shared(mapping, 1)) return IOMAP_NONE
  if (write && shared) return IOMAP_NONE
  return { page: mapping.blocks[0], shared, srcmap: null }
}

function is_shared(mapping: AddressSpace, index: number): boolean {
  const page = mapping.blocks[index]
  return page !== null && block_of_other_file(mapping, index, page)
}

/**
 * xfs_dax_write_iomap_end(). xfs_reflink_end_cow(): the block in the CoW fork is the file's from now on, and the old one only of the
 * others, or of nobody. xfs_reflink_cancel_cow_range(): nothing was written, and the block in the CoW fork is free again.
 */
export function xfs_dax_write_iomap_end(mapping: AddressSpace, index: number, written: boolean): void {
  if (mapping.reflink === null) return
  const cow = mapping.cow[index]
  if (cow === null) return
  xfs_lock_agf()
  atomic(() => {
    const block = mapping.cow[index]
    const old = mapping.blocks[index]
    mapping.cow[index] = null
    if (written && block !== null) {
      mapping.blocks[index] = block
      free_unless_shared(mapping, index, old)
    } else if (block !== null) free_blocks.block = block
  })
  xfs_unlock_agf()
}

function free_unless_shared(mapping: AddressSpace, index: number, old: Page | null): void {
  if (old !== null && !block_of_other_file(mapping, index, old)) free_blocks.block = old
}
