// The page lock: include/linux/pagemap.h, mm/filemap.c. Taking it is not the subject here, so lock_page() simply waits;
// who queues on the bit to learn of its release, as migration_entry_wait() does, sleeps until that release.
import { atomic, block_until, me, nr_threads, type PerThread, perThread, struct, VM_BUG_ON } from 'putpage/model'
import type { Page } from './mm_types.ts'

/** The hashed queues of page locks, folio_wait_table: a sleeper is found by the page's address, and reads nothing of the page. */
class PageWaitTable {
  /** The page on whose lock bit the thread is queued: runs again at the next unlock. */
  waiting: PerThread<Page | null> = perThread(null)
}
export const page_wait_table = struct(PageWaitTable)

/** lock_page(). @primitive */
export function lock_page(page: Page): void {
  block_until(() => page.lock.owner === null, {
    on: () => page.lock.owner,
    then: () => {
      page.lock.owner = me()
    },
  })
}

/** trylock_page(). @primitive */
export function trylock_page(page: Page): boolean {
  return atomic(() => {
    let got = false
    if (page.lock.owner === null) {
      page.lock.owner = me()
      got = true
    }
    return got
  })
}

/** unlock_page(): clears the bit and wakes who queued on it. @primitive */
export function unlock_page(page: Page): void {
  atomic(() => {
    VM_BUG_ON(page.lock.owner === null, '!PageLocked(page)', 'a page is unlocked that nobody has locked')
    page.lock.owner = null
    for (let t = 0; t < nr_threads(); t++) if (page_wait_table.waiting[t] === page) page_wait_table.waiting[t] = null
  })
}

/** Queues on PG_locked if it is set: the first half of a wait for the next unlock. @primitive */
export function queue_on_page_lock(page: Page): boolean {
  return atomic(() => {
    let queued = false
    if (page.lock.owner !== null) {
      page_wait_table.waiting[me()] = page
      queued = true
    }
    return queued
  })
}

/** The second half: sleeps until the unlock. @primitive */
export function sleep_on_page_lock(page: Page): void {
  block_until(() => page_wait_table.waiting[me()] === null, { on: () => page.lock.owner })
}
