// struct address_space, as far as fs/dax.c uses it: include/linux/fs.h.
import { array, type FixedArray, type Guarded, type Int, type PerThread, perThread, type Thread, type Word } from 'putpage/model'
import type { Page, Vma } from './mm_types.ts'
import { RwSemaphore } from './rwsem.ts'
import { Spinlock } from './spinlock.ts'

/**
 * A value entry of a DAX mapping's i_pages: the pfn, DAX_LOCKED and DAX_PMD. `empty` is an entry that has no pfn yet;
 * `conflict` is never in a slot: a PMD entry was wanted where a PTE entry is.
 */
export type DaxEntry = Word<{ kind: 'none' | 'empty' | 'pfn' | 'conflict'; page: Page | null; locked: boolean; pmd: boolean }>

/** How a thread waits on an entry's queue; `no` is not at all. */
export type EntryWait = 'no' | 'shared' | 'exclusive'

/** The queue of one entry: the kernel hashes (mapping, index) to one of 4096, and the wake function compares the key. */
export class EntryQueue {
  waiting: PerThread<EntryWait> = perThread('no')
  /** Who holds the entry's lock bit: for reports only. */
  owner: Thread | null = null
}

/**
 * What a file is: decides who handles its faults. `dev_dax` is the character device of a device-dax instance, `p2pmem` the
 * sysfs file of a PCI device that hands out its memory.
 */
export type FileKind = 'ext4' | 'xfs' | 'fuse' | 'dev_dax' | 'p2pmem'

/** A file of two pages at most, with its inode's locks. */
export class AddressSpace {
  kind: FileKind = 'ext4'
  i_pages_lock = new Spinlock()
  /** A PMD entry covers both indices and is kept in the first slot. */
  entries: Guarded<FixedArray<DaxEntry, 2>, 'i_pages_lock'> = array(2, { kind: 'none', page: null, locked: false, pmd: false })
  entry_queue: FixedArray<EntryQueue, 2> = array(2, new EntryQueue())
  /** ext4: the mapping's invalidate_lock. xfs: XFS_MMAPLOCK. fuse: i_mmap_sem. Faults share it, truncate excludes them. */
  invalidate_lock = new RwSemaphore()
  /** xfs: XFS_IOLOCK, the inode's i_rwsem. */
  iolock = new RwSemaphore()
  /** xfs: XFS_IREMAPPING: blocks of this file are being shared with another one. */
  remapping = false
  /** i_size, in pages. */
  i_size: Int<0, 2> = 2
  /** The extent map: which device page backs each index; null is a hole. */
  blocks: FixedArray<Page | null, 2> = array(2, null)
  /** What was written through mappings of the page is out of the CPU's caches. Only scenarios of fsync() say that it is not. */
  flushed: FixedArray<boolean, 2> = array(2, true)
  /** Its block is allocated but unwritten: the first write converts it (xfs). */
  unwritten: FixedArray<boolean, 2> = array(2, false)
  /** xfs: its CoW fork, blocks that are being copied to and are not in the extent map yet. */
  cow: FixedArray<Page | null, 2> = array(2, null)
  /** xfs: the file that has blocks in common with this one, index by index; null for a file without. */
  reflink: AddressSpace | null = null
  /** i_mmap_rwsem, where it keeps a PMD entry that split_vma() splits and unmap_mapping_range() apart; elsewhere left out. */
  i_mmap_rwsem = new RwSemaphore()
  /** The i_mmap tree: VMAs that map this file, parents before the children fork() made. */
  i_mmap: FixedArray<Vma | null, 4> = array(4, null)
  /** Huge faults may put PMD entries into the file. */
  huge = false
}

/** mapping_mapped(): some VMA maps the file. Read without i_mmap_rwsem. */
export function mapping_mapped(mapping: AddressSpace): boolean {
  for (let i = 0; i < 4; i++) {
    const vma = mapping.i_mmap[i]
    if (vma === null) continue
    if (vma.linked) return true
  }
  return false
}
