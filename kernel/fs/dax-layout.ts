// Breaking layouts: the part of fs/dax.c that finds out whether somebody still holds a page of a range, waits for it, and
// takes the entries of the range away.
import { type Int, WARN_ON_ONCE } from 'putpage/model'
import { dax_idle_count, dax_page_is_idle } from '../include/linux/dax.ts'
import { type AddressSpace, type DaxEntry, mapping_mapped } from '../include/linux/fs.ts'
import type { Page } from '../include/linux/mm_types.ts'
import { page_ref_count } from '../include/linux/page_ref.ts'
import { compound_head } from '../include/linux/page-flags.ts'
import { down_write, up_write } from '../include/linux/rwsem.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'
import { wait_var_event } from '../include/linux/wait_bit.ts'
import { unmap_mapping_range } from '../mm/memory.ts'
import { change } from '../switches.ts'
import { dax_disassociate_entry } from './dax-associate.ts'
import { DAX_NONE, dax_entry_slot, get_unlocked_entry, put_unlocked_entry, sleep_on_locked_entry, xas_load } from './dax-entry.ts'

/** The first index of a range: the file's, but where fuse takes back one range of its window. */
export type FirstIndex = Int<0, 1>
/** The last index of a range: the whole file, or, where fuse means the whole file and says 0, its first page. */
export type LastIndex = Int<0, 1>

/**
 * dax_busy_page(): somebody holds the page beside its base reference or its mappings.
 * Since Linux commit 38607c62b34b ("fs/dax: properly refcount fs dax pages") (in v6.15) by two loads: count, then mapcount.
 * Of a PMD entry each page is asked, until it is one folio.
 */
function dax_busy_page(mapping: AddressSpace, entry: DaxEntry): Page | null {
  if (entry.kind !== 'pfn') return null
  const page = compound_head(entry.page!)
  const busy = busy_page(page)
  if (busy !== null || change.fsdax_folios || !(mapping.huge && entry.pmd)) return busy
  return busy_page(page.next_page!)
}

function busy_page(page: Page): Page | null {
  const unmapped = page_ref_count(page) - (change.fsdax_mapping_counts ? page._mapcount : 0)
  const idle = change.fsdax_mapping_counts ? unmapped === dax_idle_count() : unmapped <= dax_idle_count()
  return idle ? null : page
}

/**
 * dax_layout_busy_page_range(): takes the range out of all page tables, then looks at each
 * entry. A GUP-fast that ran meanwhile either took its reference before the zap, and is seen here, or finds the entry of
 * the page table changed. The caller holds the file system's fault lock exclusively, so that nothing is mapped again.
 *
 * Until Linux commit cee91fa13a8e ("fs/dax: return unmapped busy pages from dax_layout_busy_page_range()") (in v6.15) it
 * found no page busy in a file that nothing maps.
 * Until Linux commit 6be3e21d25ca ("fs/dax: don't skip locked entries when scanning entries") (in v6.15) a locked entry
 * was passed over: the second look-up, from where the iterator stood, gave nothing.
 * Since Linux commit dd59137bfe70 ("fs/dax: Fix "don't skip locked entries when scanning entries"") (in v6.16) the walk
 * looks at the same slot after it waited; before, at the next one.
 */
export function dax_layout_busy_page_range(mapping: AddressSpace, first: FirstIndex, last: LastIndex): Page | null {
  if (!change.unmapped_pages_can_be_busy && !mapping_mapped(mapping)) return null
  unmap_mapping_range(mapping, first, last)
  let busy: Page | null = null
  let index: Int<0, 2> = first
  spin_lock(mapping.i_pages_lock)
  while (index <= last && busy === null) {
    if (change.break_waits_for_locked_entries) {
      index = wait_for_locked_entry(mapping, index, last)
      if (index > last) break
    }
    const entry = xas_load(mapping, index)
    if (!entry.locked) {
      busy = dax_busy_page(mapping, entry)
      put_unlocked_entry(mapping, index, entry, 'next')
    }
    index = next_index(mapping, entry, index)
  }
  spin_unlock(mapping.i_pages_lock)
  return busy
}

/** Where an iterator stands that has passed an entry. */
function next_index(mapping: AddressSpace, entry: DaxEntry, index: number): number {
  if (mapping.huge && entry.pmd) return 2
  return index + 1
}

/**
 * wait_entry_unlocked_exclusive(): where the walk stands when the entry it stood at is not locked any more. With the bug it is
 * one entry further on.
 */
function wait_for_locked_entry(mapping: AddressSpace, from: number, last: LastIndex): number {
  let index: Int<0, 2> = from
  while (index <= last) {
    const entry = xas_load(mapping, index)
    if (!entry.locked) break
    sleep_on_locked_entry(mapping, dax_entry_slot(mapping, entry, index))
    if (!change.locked_entry_walk_resets) index = next_index(mapping, entry, index)
  }
  return index
}

/** dax_delete_mapping_entry(): the caller has seen an entry at this index, and nobody else may delete it. */
export function dax_delete_mapping_entry(mapping: AddressSpace, index: number): void {
  spin_lock(mapping.i_pages_lock)
  const entry = get_unlocked_entry(mapping, index)
  delete_entry(mapping, index, entry)
  spin_unlock(mapping.i_pages_lock)
  WARN_ON_ONCE(entry.kind === 'none', '!ret', 'truncation saw an entry that is gone when it deletes it: something else deletes entries meanwhile')
}

/** dax_invalidate_mapping_entry_sync(), __dax_invalidate_entry() of an entry that is clean: it leaves the file, which goes on. */
export function dax_invalidate_mapping_entry_sync(mapping: AddressSpace, index: number): void {
  spin_lock(mapping.i_pages_lock)
  const entry = get_unlocked_entry(mapping, index)
  if (entry.kind !== 'none') {
    dax_disassociate_entry(entry, mapping, false)
    mapping.entries[dax_entry_slot(mapping, entry, index)] = DAX_NONE
    put_unlocked_entry(mapping, index, entry, 'all')
  }
  spin_unlock(mapping.i_pages_lock)
}

/** Under the i_pages lock. No later unlock will wake anybody, so all are woken. */
function delete_entry(mapping: AddressSpace, index: number, entry: DaxEntry): void {
  if (entry.kind === 'none') return
  dax_disassociate_entry(entry, mapping, true)
  mapping.entries[dax_entry_slot(mapping, entry, index)] = DAX_NONE
  put_unlocked_entry(mapping, index, entry, 'all')
}

/** dax_delete_mapping_range(): since Linux commit bde708f1a65d ("fs/dax: always remove DAX page-cache entries when breaking layouts") (in v6.15). */
function dax_delete_mapping_range(mapping: AddressSpace, first: FirstIndex, last: LastIndex): void {
  let index: Int<0, 2> = first
  spin_lock(mapping.i_pages_lock)
  while (index <= last) {
    index = wait_for_locked_entry(mapping, index, last)
    if (index > last) break
    const entry = xas_load(mapping, index)
    delete_entry(mapping, index, entry)
    index = next_index(mapping, entry, index)
  }
  spin_unlock(mapping.i_pages_lock)
}

/**
 * ___wait_var_event() of a layout break: sleeps with the file system's fault lock dropped (ext4_wait_dax_page(),
 * xfs_wait_dax_page(), fuse_wait_dax_page()). True if it slept: if the page was idle at the first test it did not.
 * Until the helper came, each file system compared the count itself.
 */
export function wait_page_idle(mapping: AddressSpace, page: Page): boolean {
  let slept = false
  wait_var_event(
    page,
    () => (change.dax_page_idle_helper ? dax_page_is_idle(page) : page_ref_count(page) === dax_idle_count()),
    () => page._refcount === dax_idle_count(),
    () => {
      slept = true
      up_write(mapping.invalidate_lock)
    },
    () => down_write(mapping.invalidate_lock),
  )
  return slept
}

/**
 * dax_break_layout(): since Linux commit d5b3afea22a5 ("fs/dax: create a common implementation to break DAX layouts")
 * (in v6.15) for all file systems.
 */
export function dax_break_layout(mapping: AddressSpace, first: FirstIndex, last: LastIndex): void {
  while (true) {
    const page = dax_layout_busy_page_range(mapping, first, last)
    if (page === null) break
    wait_page_idle(mapping, page)
  }
  if (change.break_deletes_entries) dax_delete_mapping_range(mapping, first, last)
}

/** dax_break_layout() without a callback: it does not wait. False: somebody holds a page (-ERESTARTSYS). */
export function dax_break_layout_nowait(mapping: AddressSpace): boolean {
  if (dax_layout_busy_page_range(mapping, 0, 1) !== null) return false
  dax_delete_mapping_range(mapping, 0, 1)
  return true
}

/**
 * dax_break_layout_final(): since Linux commit 0e2f80afcfa6 ("fs/dax: ensure all pages are idle prior to filesystem
 * unmount") (in v6.15) an inode is not evicted before its pages are idle. No lock is held: nobody can fault any more.
 */
export function dax_break_layout_final(mapping: AddressSpace): void {
  if (!change.evict_breaks_layout) return
  while (true) {
    const page = dax_layout_busy_page_range(mapping, 0, 1)
    if (page === null) break
    wait_page_idle_uninterruptible(page)
  }
  dax_delete_mapping_range(mapping, 0, 1)
}

function wait_page_idle_uninterruptible(page: Page): void {
  wait_var_event(
    page,
    () => dax_page_is_idle(page),
    () => page._refcount === dax_idle_count(),
    () => {},
    () => {},
  )
}
