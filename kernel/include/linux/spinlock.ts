// Spinlocks: include/linux/spinlock.h. Who comes first gets the lock first, as in the kernel. To what can happen that makes
// no difference, but by an unfair lock a thread that goes round in a loop could keep others from it for ever.
import { atomic, block_until, held, type Int, me, nr_threads, type PerThread, perThread, type Thread } from 'putpage/model'
import { change } from '../../switches.ts'

export class Spinlock {
  owner: Thread | null = null
  /** Place in the queue of who came while it was held, or while somebody waited; 0 is not in it. */
  place: PerThread<Int<0, 4>> = perThread(0)
}

/** spin_lock(). If nobody has it or waits for it, it is taken at once. @primitive */
export function spin_lock(lock: Spinlock): void {
  const got = atomic(() => {
    let waiting: Int<0, 4> = 0
    for (let t = 0; t < nr_threads(); t++) waiting += lock.place[t] > 0 ? 1 : 0
    const free = lock.owner === null && waiting === 0
    if (free) lock.owner = me()
    else lock.place[me()] = waiting + 1
    return free
  })
  if (got) return
  block_until(() => lock.owner === null && lock.place[me()] === 1, {
    on: () => lock.owner,
    then: () => {
      lock.owner = me()
      for (let t = 0; t < nr_threads(); t++) lock.place[t] -= lock.place[t] > 0 ? 1 : 0
    },
  })
}

/** spin_unlock(); lockdep's check with it. @primitive */
export function spin_unlock(lock: Spinlock): void {
  atomic(() => {
    if (change.prove_locking) held(lock.owner === me(), 'bad unlock balance')
    lock.owner = null
  })
}
