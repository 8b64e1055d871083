// Block lookup: fs/iomap/iter.c, which asks the file system (ext4_iomap_begin(), xfs_dax_write_iomap_begin(),
// fuse_iomap_begin()) for the extent of an index.
import { atomic, struct } from 'putpage/model'
import { dax_direct_access } from '../../drivers/dax/super.ts'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { change } from '../../switches.ts'
import { xfs_iomap_begin } from '../xfs/xfs_iomap.ts'
import { xfs_lock_agf, xfs_mount, xfs_unlock_agf } from '../xfs/xfs_mount.ts'

/** The device's free blocks, one at most: what truncate frees, the next file that needs a block gets. */
class FreeBlocks {
  block: Page | null = null
}
export const free_blocks = struct(FreeBlocks)

/** A block from the free ones; null if the device is full. */
function allocate_block(): Page | null {
  return atomic(() => {
    const block = free_blocks.block
    free_blocks.block = null
    return block
  })
}

/**
 * IOMAP_F_SHARED: the block of this index belongs to another file too (xfs_reflink_trim_around_shared()).
 * Until Linux commit c6f0b395b211 ("fsdax,xfs: set the shared flag when file extent is shared") (in v6.2) only a write was
 * told so.
 */
export function iomap_shared(mapping: AddressSpace, index: number, write: boolean): boolean {
  const other = mapping.reflink
  if (other === null) return false
  if (!write && !change.dax_shared_flag_for_reads) return false
  return atomic(() => mapping.blocks[index] !== null && mapping.blocks[index] === other.blocks[index])
}

/**
 * iomap_iter() of one page, and dax_direct_access() of what it gives: the device page behind the index; a hole that is written
 * to gets a block, if one is free, and so does a write to a shared block, which is copied there (xfs_reflink_allocate_cow();
 * whose data it is does not matter here). Null for what the model has no page for, the zero page of a read from a hole, and for
 * errors: a full device, one that is gone, a file system that was shut down.
 */
export function iomap_iter(mapping: AddressSpace, index: number, write: boolean, shared: boolean): Page | null {
  const page = write && shared ? allocate_block() : lookup_block(mapping, index, write)
  if (!dax_direct_access()) return null
  return page
}

function lookup_block(mapping: AddressSpace, index: number, write: boolean): Page | null {
  if (mapping.kind === 'xfs') return xfs_iomap_begin(mapping, index, write)
  return iomap_begin(mapping, index, write)
}

function iomap_begin(mapping: AddressSpace, index: number, write: boolean): Page | null {
  const page = mapping.blocks[index]
  if (page !== null || !write) return page
  return atomic(() => {
    const block = free_blocks.block
    if (block !== null) {
      free_blocks.block = null
      mapping.blocks[index] = block
    }
    return block
  })
}

/**
 * The same of two pages: the first, if both are there and one behind the other. Copies are made page by page. Whether they are is
 * no look at a page: dax_iomap_direct_access() is told how far the memory goes on, under dax_read_lock(), while the device lives.
 */
export function iomap_iter_pmd(mapping: AddressSpace, write: boolean, shared: boolean): Page | null {
  if (write && shared) return null
  // xfs_read_iomap_begin(), xfs_dax_write_iomap_begin(): -EIO. A hole, or what is unwritten, is left to faults of single pages.
  if (mapping.kind === 'xfs' && (xfs_mount.shutdown || (write && (mapping.unwritten[0] || mapping.unwritten[1])))) return null
  const first = mapping.blocks[0]
  if (first === null) return null
  const second = mapping.blocks[1]
  const contiguous = atomic(() => dax_direct_access() && first.next_page !== null && first.next_page === second)
  return contiguous ? first : null
}

/** xfs_dax_write_iomap_end(), xfs_reflink_end_cow(): the copy is the file's block from now on, and the old one only of the others. */
export function iomap_end(mapping: AddressSpace, index: number, page: Page, copied: boolean): void {
  if (copied) mapping.blocks[index] = page
}

/** Frees the blocks of a file from `index` 0 on: ext4_truncate(), xfs_itruncate_extents(), the host's truncate for fuse. */
export function free_file_blocks(mapping: AddressSpace): void {
  if (mapping.kind === 'xfs') xfs_lock_agf()
  for (let i = 0; i < 2; i++) {
    atomic(() => {
      const block = mapping.blocks[i]
      if (block !== null) {
        mapping.blocks[i] = null
        if (!block_of_other_file(mapping, i, block)) free_blocks.block = block
      }
    })
  }
  if (mapping.kind === 'xfs') xfs_unlock_agf()
}

function block_of_other_file(mapping: AddressSpace, index: number, block: Page): boolean {
  const other = mapping.reflink
  if (other === null) return false
  return other.blocks[index] === block
}
