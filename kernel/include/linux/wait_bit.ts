// Waiting for a variable: include/linux/wait_bit.h, kernel/sched/wait_bit.c. The kernel hashes the variable's address to
// a queue; here each variable has its own, so that a wake-up for another variable never helps by accident.
import { atomic, block_until, me, nr_threads, type PerThread, perThread } from 'putpage/model'

export class WaitQueue {
  /** The thread is on the queue, about to sleep or asleep; a wake-up takes it off. */
  queued: PerThread<boolean> = perThread(false)
}

/** True if anybody is queued: waitqueue_active(), read without the queue's lock. @primitive */
export function waitqueue_active(queue: WaitQueue): boolean {
  return atomic(() => {
    let active = false
    for (let t = 0; t < nr_threads(); t++) if (queue.queued[t]) active = true
    return active
  })
}

/** wake_up_var(): an unlocked look at the queue first, then everybody waiting for this variable runs again. @primitive */
export function wake_up_var(queue: WaitQueue): void {
  if (!waitqueue_active(queue)) return
  wake_up_all(queue)
}

/** __wake_up() of all waiters, under the queue's lock. @primitive */
export function wake_up_all(queue: WaitQueue): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) queue.queued[t] = false
  })
}

/** prepare_to_wait_event(): on the queue, state set, before the condition is tested. @primitive */
export function prepare_to_wait(queue: WaitQueue): void {
  queue.queued[me()] = true
}

/** finish_wait(). @primitive */
export function finish_wait(queue: WaitQueue): void {
  queue.queued[me()] = false
}

/** schedule() of a thread on a queue: runs again only when somebody takes it off. `condition` is what it waits for. @primitive */
export function schedule(queue: WaitQueue, condition: () => boolean): void {
  block_until(() => !queue.queued[me()], { until: condition })
}

/**
 * ___wait_var_event(): queue, test, run `command` (which drops the caller's lock, sleeps and takes it again), and again.
 * `test` reads the variable as the kernel does (a step); `condition` says the same as a state.
 * Signals are left out: with one, an interruptible sleep ends, and a lost wake-up would look like patience.
 */
export function wait_var_event(queue: WaitQueue, test: () => boolean, condition: () => boolean, unlock: () => void, lock: () => void): void {
  while (true) {
    prepare_to_wait(queue)
    if (test()) break
    unlock()
    schedule(queue, condition)
    lock()
  }
  finish_wait(queue)
}
