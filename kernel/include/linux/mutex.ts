// Mutexes: include/linux/mutex.h. Who came first gets it first: the kernel's lets a running task overtake a sleeper once,
// then hands over.
import { atomic, block_until, held, type Int, me, nr_threads, type PerThread, perThread, type Thread } from 'putpage/model'
import { change } from '../../switches.ts'

export class Mutex {
  owner: Thread | null = null
  /** Place in the queue of sleepers; 0 is not in it. */
  place: PerThread<Int<0, 4>> = perThread(0)
}

/** mutex_lock(). @primitive */
export function mutex_lock(lock: Mutex): void {
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

/** mutex_trylock(). @primitive */
export function mutex_trylock(lock: Mutex): boolean {
  return atomic(() => {
    const got = lock.owner === null
    if (got) lock.owner = me()
    return got
  })
}

/** mutex_unlock(); lockdep's check with it. @primitive */
export function mutex_unlock(lock: Mutex): void {
  atomic(() => {
    if (change.prove_locking) held(lock.owner === me(), 'bad unlock balance')
    lock.owner = null
  })
}
