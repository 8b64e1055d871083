// Block lookup: fs/iomap/iter.c, which asks the file system (ext4_iomap_begin(), xfs_dax_write_iomap_begin(),
// fuse_iomap_begin()) for the extent of an index.
import { atomic, struct } from 'putpage/model'
import { dax_direct_access } from '../../drivers/dax/super.ts'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { xfs_iomap_begin } from '../xfs/xfs_iomap.ts'
import { xfs_lock_agf, xfs_unlock_agf } from '../xfs/xfs_mount.ts'

/** The device's free blocks, one at most: what truncate frees, the next file that needs a block gets. */
class FreeBlocks {
  block: Page | null = null
}
export const free_blocks = struct(FreeBlocks)

/**
 * iomap_iter() of one page, and dax_direct_access() of what it gives: the device page behind the index; a hole that is written
 * to gets a block, if one is free. Null for what the model has no page for, the zero page of a read from a hole, and for errors: a
 * full device, one that is gone, a file system that was shut down.
 */
export function iomap_iter(mapping: AddressSpace, index: number, write: boolean): Page | null {
  const page = mapping.kind === 'xfs' ? xfs_iomap_begin(mapping, index, write) : iomap_begin(mapping, index, write)
  if (!dax_direct_access()) return null
  return page
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

/** Frees the blocks of a file from `index` 0 on: ext4_truncate(), xfs_itruncate_extents(), the host's truncate for fuse. */
export function free_file_blocks(mapping: AddressSpace): void {
  if (mapping.kind === 'xfs') xfs_lock_agf()
  for (let i = 0; i < 2; i++) {
    atomic(() => {
      const block = mapping.blocks[i]
      if (block !== null) {
        mapping.blocks[i] = null
        free_blocks.block = block
      }
    })
  }
  if (mapping.kind === 'xfs') xfs_unlock_agf()
}
