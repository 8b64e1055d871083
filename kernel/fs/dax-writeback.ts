// fsync() of a DAX file: the part of fs/dax.c that writes caches back. It locks entries without any lock of the file
// system, which is what a layout break may meet.
import type { AddressSpace } from '../include/linux/fs.ts'
import { PTE_NONE, type Vma } from '../include/linux/mm_types.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { flush_tlb_range } from '../mm/memory.ts'
import { change } from '../switches.ts'
import { dax_lock_entry, dax_wake_entry, put_unlocked_entry, sleep_on_locked_entry } from './dax-entry.ts'

/** pfn_mkclean_range() (mm/rmap.c; dax_entry_mkclean() in v5.10): every mapping of the index becomes read-only. */
function pfn_mkclean_range(mapping: AddressSpace, index: number): void {
  for (let i = 0; i < 4; i++) {
    const vma = mapping.i_mmap[i]
    if (vma === null) continue
    if (vma.linked && vma.index === index) mkclean_one(vma)
  }
}

function mkclean_one(vma: Vma): void {
  spin_lock(vma.ptl)
  const pte = vma.pte
  if (pte.kind === 'present' && pte.write) {
    // ptep_clear_flush(), then the entry again without its write and dirty bits.
    vma.pte = PTE_NONE
    flush_tlb_range()
    vma.pte = { kind: 'present', page: pte.page, write: false }
  }
  spin_unlock(vma.ptl)
}

/**
 * dax_writeback_mapping_range(), dax_writeback_one() of one index: the entry is locked while every mapping of the page is
 * made read-only and the caches are flushed. An entry that is locked already is looked up again from where the iterator stands, which
 * gives nothing (as in the scan of a layout break until v6.15), so it is left to whoever locked it, and not waited for.
 */
export function dax_writeback_one(mapping: AddressSpace, index: number): void {
  spin_lock(mapping.i_pages_lock)
  let entry = mapping.entries[index]
  if (change.writeback_waits_for_locked_entries) {
    while (entry.locked) {
      sleep_on_locked_entry(mapping, index)
      entry = mapping.entries[index]
    }
  }
  if (entry.kind !== 'pfn' || entry.locked) {
    if (change.writeback_waits_for_locked_entries) put_unlocked_entry(mapping, index, entry, 'next')
    spin_unlock(mapping.i_pages_lock)
    return
  }
  dax_lock_entry(mapping, index, entry)
  spin_unlock(mapping.i_pages_lock)
  pfn_mkclean_range(mapping, index)
  // dax_flush()
  mapping.flushed[index] = true
  // The entry is unlocked by hand, under the lock.
  spin_lock(mapping.i_pages_lock)
  mapping.entries[index] = { kind: entry.kind, page: entry.page, locked: false, pmd: entry.pmd }
  mapping.entry_queue[index].owner = null
  dax_wake_entry(mapping, index, 'next')
  spin_unlock(mapping.i_pages_lock)
}
