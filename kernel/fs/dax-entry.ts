// The entries of a DAX mapping and their lock bit: the first part of fs/dax.c.
import { atomic, BUG_ON, block_until, choose, me, nr_threads } from 'putpage/model'
import type { AddressSpace, DaxEntry, EntryQueue } from '../include/linux/fs.ts'
import { spin_lock, spin_unlock } from '../include/linux/spinlock.ts'

export const DAX_NONE: DaxEntry = { kind: 'none', page: null, locked: false, pmd: false }
export const DAX_EMPTY_PMD: DaxEntry = { kind: 'empty', page: null, locked: false, pmd: true }
const DAX_CONFLICT: DaxEntry = { kind: 'conflict', page: null, locked: false, pmd: false }
export const DAX_EMPTY: DaxEntry = { kind: 'empty', page: null, locked: false, pmd: false }

/** The slot an entry is kept in, and whose queue its waiters use: a PMD entry covers both indices. */
export function dax_entry_slot(mapping: AddressSpace, entry: DaxEntry, index: number): number {
  if (!mapping.huge) return index
  return entry.pmd ? 0 : index
}

/** xas_load(), under the i_pages lock: the entry of an index, which may be a PMD entry. */
export function xas_load(mapping: AddressSpace, index: number): DaxEntry {
  if (mapping.huge) {
    const first = mapping.entries[0]
    if (first.pmd) return first
  }
  return mapping.entries[index]
}

/**
 * dax_wake_entry(): WAKE_ALL wakes all waiters, WAKE_NEXT those that wait without exclusion and one of the others. The
 * kernel takes the one that came first; here it may be any of two. Who saw the entry locked queued itself under the
 * i_pages lock, so the look at the queue without its own lock misses nobody.
 */
export function dax_wake_entry(mapping: AddressSpace, index: number, mode: 'next' | 'all'): void {
  const queue = mapping.entry_queue[index]
  if (!waitqueue_active(queue)) return
  if (mode === 'all') wake_all(queue)
  else wake_next(queue)
}

function waitqueue_active(queue: EntryQueue): boolean {
  return atomic(() => {
    let active = false
    for (let t = 0; t < nr_threads(); t++) if (queue.waiting[t] !== 'no') active = true
    return active
  })
}

function wake_all(queue: EntryQueue): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) queue.waiting[t] = 'no'
  })
}

function wake_next(queue: EntryQueue): void {
  const descending = choose(2) === 1
  atomic(() => {
    let woken = false
    for (let i = 0; i < nr_threads(); i++) {
      const t = descending ? nr_threads() - 1 - i : i
      if (queue.waiting[t] === 'exclusive' && !woken) {
        woken = true
        queue.waiting[t] = 'no'
      }
      if (queue.waiting[t] === 'shared') queue.waiting[t] = 'no'
    }
  })
}

/** Drops the i_pages lock, sleeps until woken, and takes it again. The caller queued itself while it held the lock. */
function sleep_on_entry(mapping: AddressSpace, index: number): void {
  const queue = mapping.entry_queue[index]
  spin_unlock(mapping.i_pages_lock)
  block_until(() => queue.waiting[me()] === 'no', {
    on: () => queue.owner,
    until: () => queue.owner === null,
    what: 'waits for a locked DAX entry',
  })
  spin_lock(mapping.i_pages_lock)
}

/**
 * get_unlocked_entry(), get_next_unlocked_entry() for a fresh iterator, under the i_pages lock: the entry of the index,
 * once it is not locked. It may be a PMD entry.
 */
export function get_unlocked_entry(mapping: AddressSpace, index: number): DaxEntry {
  while (true) {
    const entry = xas_load(mapping, index)
    if (!entry.locked) return entry
    const slot = dax_entry_slot(mapping, entry, index)
    mapping.entry_queue[slot].waiting[me()] = 'exclusive'
    sleep_on_entry(mapping, slot)
  }
}

/** get_unlocked_entry() of PMD order: a conflict if an entry of a single page is in the range, locked or not. */
function get_unlocked_pmd_entry(mapping: AddressSpace): DaxEntry {
  while (true) {
    const entry = mapping.entries[0]
    if (!entry.pmd) {
      if (entry.kind !== 'none') return DAX_CONFLICT
      if (mapping.entries[1].kind !== 'none') return DAX_CONFLICT
      return entry
    }
    if (!entry.locked) return entry
    mapping.entry_queue[0].waiting[me()] = 'exclusive'
    sleep_on_entry(mapping, 0)
  }
}

/**
 * wait_entry_unlocked_exclusive() as Linux commit 6be3e21d25ca ("fs/dax: don't skip locked entries when scanning
 * entries") (in v6.15) has it: one sleep of it, at the entry where the walk stands. The caller decides which entry to look
 * at next: since dd59137bfe70 ("fs/dax: Fix "don't skip locked entries when scanning entries"") the same one.
 */
export function sleep_on_locked_entry(mapping: AddressSpace, index: number): void {
  mapping.entry_queue[index].waiting[me()] = 'exclusive'
  sleep_on_entry(mapping, index)
}

/** wait_entry_unlocked(): one sleep that excludes nobody, after which nothing about the inode may be assumed. */
export function wait_entry_unlocked(mapping: AddressSpace, index: number): void {
  const queue = mapping.entry_queue[index]
  queue.waiting[me()] = 'shared'
  spin_unlock(mapping.i_pages_lock)
  block_until(() => queue.waiting[me()] === 'no', { on: () => queue.owner, until: () => queue.owner === null, what: 'waits for a locked DAX entry' })
}

/** put_unlocked_entry(): who got an entry and does not lock it must wake the next waiter. */
export function put_unlocked_entry(mapping: AddressSpace, index: number, entry: DaxEntry, mode: 'next' | 'all'): void {
  if (entry.kind !== 'none') dax_wake_entry(mapping, dax_entry_slot(mapping, entry, index), mode)
}

/** dax_lock_entry(): stores the entry locked, under the i_pages lock. */
export function dax_lock_entry(mapping: AddressSpace, index: number, entry: DaxEntry): void {
  const slot = dax_entry_slot(mapping, entry, index)
  atomic(() => {
    mapping.entries[slot] = { kind: entry.kind, page: entry.page, locked: true, pmd: entry.pmd }
    mapping.entry_queue[slot].owner = me()
  })
}

/** dax_unlock_entry(). */
export function dax_unlock_entry(mapping: AddressSpace, index: number, entry: DaxEntry): void {
  const slot = dax_entry_slot(mapping, entry, index)
  spin_lock(mapping.i_pages_lock)
  const old = mapping.entries[slot]
  atomic(() => {
    mapping.entries[slot] = { kind: entry.kind, page: entry.page, locked: false, pmd: entry.pmd }
    mapping.entry_queue[slot].owner = null
  })
  spin_unlock(mapping.i_pages_lock)
  BUG_ON(!old.locked, '!dax_is_locked(old)', 'the entry this thread had locked is not locked any more: somebody stored another one')
  dax_wake_entry(mapping, slot, 'next')
}

/**
 * grab_mapping_entry() of a single page: its entry, locked; a new empty one if there was none. A PMD entry with a page stays
 * one; an empty one makes way, which all that wait for it are told.
 */
export function grab_mapping_entry(mapping: AddressSpace, index: number): DaxEntry {
  spin_lock(mapping.i_pages_lock)
  let entry = get_unlocked_entry(mapping, index)
  if (mapping.huge && entry.pmd && entry.kind === 'empty') {
    dax_lock_entry(mapping, index, entry)
    mapping.entries[0] = DAX_NONE
    mapping.entry_queue[0].owner = null
    dax_wake_entry(mapping, 0, 'all')
    entry = DAX_NONE
  }
  if (entry.kind === 'none') entry = DAX_EMPTY
  dax_lock_entry(mapping, index, entry)
  spin_unlock(mapping.i_pages_lock)
  return entry
}

/** grab_mapping_entry() of PMD order: where a single page has an entry, nothing is locked, and the fault falls back. */
export function grab_mapping_pmd_entry(mapping: AddressSpace): DaxEntry {
  spin_lock(mapping.i_pages_lock)
  let entry = get_unlocked_pmd_entry(mapping)
  if (entry.kind !== 'conflict') {
    if (entry.kind === 'none') entry = DAX_EMPTY_PMD
    dax_lock_entry(mapping, 0, entry)
  }
  spin_unlock(mapping.i_pages_lock)
  return entry
}
