// Block lookup: fs/iomap/iter.c, which asks the file system (ext4_iomap_begin(), xfs_read_iomap_begin(),
// xfs_dax_write_iomap_begin(), fuse_iomap_begin()) for the extent of an index.
import { atomic, struct, type Word } from 'putpage/model'
import { dax_direct_access } from '../../drivers/dax/super.ts'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page } from '../../include/linux/mm_types.ts'
import { xfs_dax_write_iomap_begin, xfs_dax_write_iomap_end, xfs_iomap_begin_pmd, xfs_read_iomap_begin } from '../xfs/xfs_iomap.ts'
import { xfs_lock_agf, xfs_unlock_agf } from '../xfs/xfs_mount.ts'

/**
 * struct iomap of one page, with IOMAP_F_SHARED, and its srcmap: the block behind the index, and the one that is copied to it. A null
 * page is what the model has no page for, the zero page of a read from a hole, and errors: a full device, a file system that was shut
 * down.
 */
export type Iomap = Word<{ page: Page | null; shared: boolean; srcmap: Page | null }>

export const IOMAP_NONE: Iomap = { page: null, shared: false, srcmap: null }

/** The device's free blocks, one at most: what truncate frees, the next file that needs a block gets. */
class FreeBlocks {
  block: Page | null = null
}
export const free_blocks = struct(FreeBlocks)

/** iomap_iter() of one page; a hole that is written to gets a block, if one is free. */
export function iomap_iter(mapping: AddressSpace, index: number, write: boolean): Iomap {
  if (mapping.kind !== 'xfs') return iomap_begin(mapping, index, write)
  if (write) return xfs_dax_write_iomap_begin(mapping, index)
  return xfs_read_iomap_begin(mapping, index)
}

function iomap_begin(mapping: AddressSpace, index: number, write: boolean): Iomap {
  const page = mapping.blocks[index]
  if (page !== null || !write) return { page, shared: false, srcmap: null }
  return atomic(() => {
    const block = free_blocks.block
    if (block !== null) {
      free_blocks.block = null
      mapping.blocks[index] = block
    }
    return { page: block, shared: false, srcmap: null }
  })
}

/**
 * The same of two pages: the first, if both are there and one behind the other. Copies are made page by page. Whether they are is
 * no look at a page: dax_iomap_direct_access() is told how far the memory goes on, under dax_read_lock(), while the device lives.
 */
export function iomap_iter_pmd(mapping: AddressSpace, write: boolean): Iomap {
  const iomap = iomap_begin_pmd(mapping, write)
  const first = iomap.page
  if (first === null) return IOMAP_NONE
  const second = mapping.blocks[1]
  const contiguous = atomic(() => dax_direct_access(first) && first.next_page !== null && first.next_page === second)
  if (!contiguous) return IOMAP_NONE
  return iomap
}

function iomap_begin_pmd(mapping: AddressSpace, write: boolean): Iomap {
  if (mapping.kind === 'xfs') return xfs_iomap_begin_pmd(mapping, write)
  return { page: mapping.blocks[0], shared: false, srcmap: null }
}

/** iomap_end(): what became of it. Only xfs wants to know, of writes. */
export function iomap_end(mapping: AddressSpace, index: number, write: boolean, written: boolean): void {
  if (write && mapping.kind === 'xfs') xfs_dax_write_iomap_end(mapping, index, written)
}

/** Frees the blocks of a file from `index` 0 on: ext4_truncate(), xfs_itruncate_extents(), the host's truncate for fuse. */
export function free_file_blocks(mapping: AddressSpace): void {
  if (mapping.kind === 'xfs') xfs_lock_agf()
  for (let i = 0; i < 2; i++) free_file_block(mapping, i)
  if (mapping.kind === 'xfs') xfs_unlock_agf()
}

/** Frees one block of a file, unless it is another file's, too. */
export function free_file_block(mapping: AddressSpace, index: number): void {
  atomic(() => {
    const block = mapping.blocks[index]
    if (block !== null) {
      mapping.blocks[index] = null
      if (!block_of_other_file(mapping, index, block)) free_blocks.block = block
    }
  })
}

/** Another file has this block at this index. */
export function block_of_other_file(mapping: AddressSpace, index: number, block: Page): boolean {
  const other = mapping.reflink
  if (other === null) return false
  return other.blocks[index] === block
}
