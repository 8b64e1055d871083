// Page faults of DAX files: the part of fs/dax.c that puts pages into the file and into page tables.
import { READ_ONCE, WARN_ON_ONCE } from 'putpage/model'
import { dax_direct_access } from '../drivers/dax/super.ts'
import type { AddressSpace, DaxEntry } from '../include/linux/fs.ts'
import { folio_put } from '../include/linux/mm.ts'
import type { Page, Vma } from '../include/linux/mm_types.ts'
import { page_ref_inc } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { split_huge_pmd, vmf_insert_folio_pmd, vmf_insert_pfn_pmd } from '../mm/huge_memory-pmd.ts'
import { type FaultResult, unmap_mapping_pages, unmap_mapping_range, vmf_insert_mixed, vmf_insert_page_mkwrite } from '../mm/memory.ts'
import { change } from '../switches.ts'
import { dax_associate_entry, dax_disassociate_entry } from './dax-associate.ts'
import { dax_entry_slot, dax_lock_entry, dax_unlock_entry, grab_mapping_entry, grab_mapping_pmd_entry } from './dax-entry.ts'
import { type Iomap, iomap_end, iomap_iter, iomap_iter_pmd } from './iomap/iter.ts'

/**
 * dax_insert_entry(): an empty entry gets its page; one that has a page is left alone, unless the extent is shared: then
 * every mapping of the index goes, and the entry is made anew. It stays locked.
 */
function dax_insert_entry(mapping: AddressSpace, index: number, entry: DaxEntry, page: Page, pmd: boolean, shared: boolean): DaxEntry {
  if (entry.kind !== 'empty' && !shared) return entry
  if (mapping.reflink !== null && shared) {
    if (mapping.huge && entry.pmd) unmap_mapping_range(mapping, 0, 1)
    else unmap_mapping_pages(mapping, index)
  }
  const new_entry: DaxEntry = { kind: 'pfn', page, locked: false, pmd }
  const slot = dax_entry_slot(mapping, entry, index)
  spin_lock(mapping.i_pages_lock)
  dax_disassociate_entry(entry, mapping, false)
  dax_associate_entry(new_entry, mapping, shared)
  const old = mapping.entries[slot]
  dax_lock_entry(mapping, index, new_entry)
  WARN_ON_ONCE(
    !(old.kind === entry.kind && old.page === entry.page && old.locked),
    'old != xa_mk_value(xa_to_value(entry) | DAX_LOCKED)',
    'somebody changed the entry that this fault has locked',
  )
  spin_unlock(mapping.i_pages_lock)
  return new_entry
}

/**
 * dax_fault_iter(), from the insertion into page tables on.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) the entry counts. The folio may be
 * at 0, which insert_page() refuses: a reference is added blindly before and given back after.
 */
function dax_insert_pfn(vma: Vma, page: Page, write: boolean): FaultResult {
  if (!change.fsdax_mapping_counts) {
    vmf_insert_mixed(vma, page, write)
    return 'done'
  }
  // Where it rests at 1 nothing has to be added to insert it.
  const folio = compound_head(page)
  if (change.fsdax_free_at_zero) page_ref_inc(folio, 'insert')
  const inserted = vmf_insert_page_mkwrite(vma, page, write)
  if (change.fsdax_free_at_zero) folio_put(folio, 'insert')
  return inserted ? 'done' : 'sigbus'
}

/** The same of a PMD. */
function dax_insert_pfn_pmd(vma: Vma, page: Page, write: boolean): FaultResult {
  if (!change.fsdax_mapping_counts) {
    vmf_insert_pfn_pmd(vma, page, write)
    return 'done'
  }
  const folio = compound_head(page)
  if (change.fsdax_free_at_zero) page_ref_inc(folio, 'insert')
  const inserted = vmf_insert_folio_pmd(vma, folio, write)
  if (change.fsdax_free_at_zero) folio_put(folio, 'insert')
  return inserted ? 'done' : 'sigbus'
}

/** dax_iomap_pte_fault(), under mmap_lock and the file system's fault lock. */
export function dax_iomap_pte_fault(vma: Vma, write: boolean): FaultResult {
  const mapping = vma.file!
  if (vma.index >= mapping.i_size) return 'sigbus'
  const entry = grab_mapping_entry(mapping, vma.index)
  if (vma.pmd !== null) {
    // A PMD fault came in between: the access is tried again.
    const pmd = READ_ONCE(vma.pmd.entry)
    if (pmd.kind === 'present') {
      dax_unlock_entry(mapping, vma.index, entry)
      return 'done'
    }
  }
  const iomap = iomap_iter(mapping, vma.index, write)
  if (iomap.page === null) {
    dax_unlock_entry(mapping, vma.index, entry)
    return 'sigbus'
  }
  return dax_fault_iter(vma, mapping, entry, iomap, write)
}

/**
 * dax_fault_iter() of a single page, and what dax_iomap_pte_fault() does after it. The entry is made before the copy: one that fails
 * leaves the file with the entry of a block that iomap_end() frees.
 */
function dax_fault_iter(vma: Vma, mapping: AddressSpace, entry: DaxEntry, iomap: Iomap, write: boolean): FaultResult {
  const page = iomap.page!
  const index = vma.index
  const copies = write && iomap.shared
  const failed = !dax_direct_access(page) || (change.dax_copies_first && copies && !dax_iomap_copy_around(iomap))
  if (failed) {
    iomap_end(mapping, index, write, false)
    dax_unlock_entry(mapping, index, entry)
    return 'sigbus'
  }
  const inserted = dax_insert_entry(mapping, index, entry, page, false, iomap.shared)
  let result: FaultResult = 'sigbus'
  if (change.dax_copies_first || !copies || dax_iomap_copy_around(iomap)) result = dax_insert_pfn(vma, page, write)
  iomap_end(mapping, index, write, result !== 'sigbus')
  dax_unlock_entry(mapping, index, inserted)
  return result
}

/** dax_iomap_copy_around() of a whole page, in v6.1 dax_iomap_cow_copy(). False: the source cannot be read. */
export function dax_iomap_copy_around(iomap: Iomap): boolean {
  const source = iomap.srcmap!
  if (!dax_direct_access(source)) return false
  iomap.page!.data = source.data
  return true
}

/**
 * dax_iomap_pmd_fault(). It falls back to single pages where one of them has an entry already, where the file or the mapping
 * ends within the range (dax_fault_check_fallback()), and where the blocks are not one behind the other; what the page table may
 * have as a PMD entry is split then.
 */
export function dax_iomap_pmd_fault(vma: Vma, write: boolean): FaultResult {
  const mapping = vma.file!
  const size = mapping.i_size
  if (size === 0) return 'sigbus'
  let result: FaultResult = 'fallback'
  const pmd = vma.pmd!
  if (size === 2 && pmd.vmas[0]!.linked && pmd.vmas[1]!.linked) result = dax_fault_pmd_entry(vma, mapping, write)
  if (result === 'fallback') split_huge_pmd(pmd)
  return result
}

function dax_fault_pmd_entry(vma: Vma, mapping: AddressSpace, write: boolean): FaultResult {
  const entry = grab_mapping_pmd_entry(mapping)
  if (entry.kind === 'conflict') return 'fallback'
  const pmd = READ_ONCE(vma.pmd!.entry)
  if (pmd.kind === 'table') {
    dax_unlock_entry(mapping, 0, entry)
    return 'done'
  }
  const iomap = iomap_iter_pmd(mapping, write)
  const page = iomap.page
  if (page === null) {
    dax_unlock_entry(mapping, 0, entry)
    return 'fallback'
  }
  const inserted = dax_insert_entry(mapping, 0, entry, page, true, iomap.shared)
  const result = dax_insert_pfn_pmd(vma, page, write)
  dax_unlock_entry(mapping, 0, inserted)
  return result
}
