// Waiting for a variable: include/linux/wait_bit.h, kernel/sched/wait_bit.c. The kernel hashes the variable's address to one
// of the queues of bit_wait_table, and a wake-up reaches the waiters of that address only. Neither side reads the memory the
// address leads to: it may be gone. Addresses that share a queue are left out, so that no wake-up helps by accident.
import { atomic, block_until, me, nr_threads, type PerThread, perThread, struct } from 'putpage/model'
import type { Page } from './mm_types.ts'

class BitWaitTable {
  /**
   * The page whose count the thread is queued for, about to sleep or asleep; a wake-up takes it off. The kernel's key is the
   * address of _refcount, in v7.3 of the page.
   */
  waiting: PerThread<Page | null> = perThread(null)
}
export const bit_wait_table = struct(BitWaitTable)

/** True if anybody is queued: waitqueue_active(), read without the queue's lock. @primitive */
export function waitqueue_active(key: Page): boolean {
  return atomic(() => {
    let active = false
    for (let t = 0; t < nr_threads(); t++) if (bit_wait_table.waiting[t] === key) active = true
    return active
  })
}

/** wake_up_var(): an unlocked look at the queue first, then everybody waiting for this variable runs again. @primitive @wakes */
export function wake_up_var(key: Page): void {
  if (!waitqueue_active(key)) return
  wake_up_all(key)
}

/** __wake_up() of all waiters, under the queue's lock. @primitive */
export function wake_up_all(key: Page): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) if (bit_wait_table.waiting[t] === key) bit_wait_table.waiting[t] = null
  })
}

/** prepare_to_wait_event(): on the queue, state set, before the condition is tested. @primitive */
export function prepare_to_wait(key: Page): void {
  bit_wait_table.waiting[me()] = key
}

/** finish_wait(). @primitive */
export function finish_wait(): void {
  bit_wait_table.waiting[me()] = null
}

/** schedule() of a thread on a queue: runs again only when somebody takes it off. `condition` is what it waits for. @primitive */
export function schedule(condition: () => boolean): void {
  block_until(() => bit_wait_table.waiting[me()] === null, { until: condition })
}

/**
 * ___wait_var_event(): queue, test, run `command` (which drops the caller's lock, sleeps and takes it again), and again.
 * `test` reads the variable as the kernel does (a step); `condition` says the same as a state.
 * Signals are left out: with one, an interruptible sleep ends, and a lost wake-up would look like patience. @waits
 */
export function wait_var_event(key: Page, test: () => boolean, condition: () => boolean, unlock: () => void, lock: () => void): void {
  while (true) {
    prepare_to_wait(key)
    if (test()) break
    unlock()
    schedule(condition)
    lock()
  }
  finish_wait()
}
