// Layout breaks and faults of virtiofs files with a DAX window: fs/fuse/dax.c. The pages are those of the window; the
// blocks behind them are the host's.
import { atomic, type Word } from 'putpage/model'
import type { AddressSpace } from '../../include/linux/fs.ts'
import type { Page, Vma } from '../../include/linux/mm_types.ts'
import { down_read, down_write, up_read, up_write } from '../../include/linux/rwsem.ts'
import type { FaultResult } from '../../mm/memory.ts'
import { invalidate_inode_pages2_range } from '../../mm/truncate.ts'
import { change } from '../../switches.ts'
import { dax_iomap_pmd_fault, dax_iomap_pte_fault } from '../dax.ts'
import { dax_break_layout, dax_layout_busy_page_range, type FirstIndex, type LastIndex, wait_page_idle } from '../dax-layout.ts'
import { free_blocks } from '../iomap/iter.ts'

/**
 * fuse_dax_break_layouts() with its __fuse_dax_break_layouts(), under i_mmap_sem (since v5.15 the mapping's
 * invalidate_lock). It always set `retry` before it waits.
 */
export function fuse_dax_break_layouts(inode: AddressSpace, first: FirstIndex, last: LastIndex): void {
  if (change.dax_break_layout) return dax_break_layout(inode, first, last)
  while (true) {
    const page = dax_layout_busy_page_range(inode, first, last)
    if (page === null) return
    wait_page_idle(inode, page)
  }
}

/** fuse_dax_huge_fault() of PMD order. */
export function fuse_dax_huge_fault(vma: Vma, write: boolean): FaultResult {
  const lock = vma.file!.invalidate_lock
  down_read(lock)
  const result = dax_iomap_pmd_fault(vma, write)
  up_read(lock)
  return result
}

/** __fuse_dax_fault(): under i_mmap_sem, shared. */
export function fuse_dax_fault(vma: Vma, write: boolean): FaultResult {
  const lock = vma.file!.invalidate_lock
  down_read(lock)
  const result = dax_iomap_pte_fault(vma, write)
  up_read(lock)
  return result
}

/**
 * lookup_and_reclaim_dmap(), by the worker that frees ranges: one range of the window, here one page, is taken from the file, as another
 * file needs it: faults are held off, the layout of the range is broken, its entries go, and the host maps something else there. The file
 * gets another range when it is touched again. The layout break may have dropped the lock: the range is looked up again behind it.
 */
export function lookup_and_reclaim_dmap(inode: AddressSpace, index: FirstIndex): void {
  down_write(inode.invalidate_lock)
  fuse_dax_break_layouts(inode, index, index)
  if (inode.blocks[index] !== null) {
    invalidate_inode_pages2_range(inode, index)
    dmap_reinit_add_to_free_pool(inode, index)
  }
  up_write(inode.invalidate_lock)
}

/** dmap_removemapping_one(), and the range on the list of free ones. */
function dmap_reinit_add_to_free_pool(inode: AddressSpace, index: FirstIndex): void {
  atomic(() => {
    free_blocks.block = inode.blocks[index]
    inode.blocks[index] = null
  })
}

/** What was found, and whether to try again: the answer and `*retry` of inode_inline_reclaim_one_dmap(). */
type Reclaimed = Word<{ dmap: Page | null; retry: boolean }>

/**
 * inode_inline_reclaim_one_dmap(): who writes or reads with a call, and finds no free range, takes one of its own file, which never comes to
 * the free list. `victim` is what inode_lookup_first_dmap() finds. Who waited in the layout break, and finds that the range is gone when it
 * looks again, asks to be called again, and returns it all the same.
 */
function inode_inline_reclaim_one_dmap(inode: AddressSpace, victim: FirstIndex): Reclaimed {
  down_write(inode.invalidate_lock)
  let dmap = inode.blocks[victim]
  let retry = false
  if (dmap !== null) {
    fuse_dax_break_layouts(inode, victim, victim)
    if (inode.blocks[victim] !== null) {
      invalidate_inode_pages2_range(inode, victim)
      inode.blocks[victim] = null
    } else {
      retry = true
      if (change.fuse_inline_reclaim_forgets_range) dmap = null
    }
  }
  up_write(inode.invalidate_lock)
  return { dmap, retry }
}

/** alloc_dax_mapping(): a range of the free list. */
function alloc_dax_mapping(): Page | null {
  return atomic(() => {
    const dmap = free_blocks.block
    free_blocks.block = null
    return dmap
  })
}

/** alloc_dax_mapping_reclaim(). Without a free range, and with none of the file's own, it would sleep until the worker has freed one: null here. */
function alloc_dax_mapping_reclaim(inode: AddressSpace, victim: FirstIndex): Page | null {
  while (true) {
    const free = alloc_dax_mapping()
    if (free !== null) return free
    const found = inode_inline_reclaim_one_dmap(inode, victim)
    if (found.dmap !== null || !found.retry) return found.dmap
  }
}

/**
 * fuse_setup_new_dax_mapping() of a write(2) or read(2), fuse_setup_one_mapping(): the file gets a range for `index`. That somebody else may have
 * set one up for it meanwhile is left out.
 */
export function fuse_setup_new_dax_mapping(inode: AddressSpace, index: FirstIndex, victim: FirstIndex): void {
  const dmap = alloc_dax_mapping_reclaim(inode, victim)
  if (dmap !== null) inode.blocks[index] = dmap
}
