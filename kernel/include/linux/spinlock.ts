// Spinlocks: include/linux/spinlock.h. Fair or not makes no difference to what can happen; only who holds it does.
import { block_until, me, type Thread } from 'putpage/model'

export class Spinlock {
  owner: Thread | null = null
}

/** spin_lock(). The wait and the taking are one step. @primitive */
export function spin_lock(lock: Spinlock): void {
  block_until(() => lock.owner === null, {
    on: () => lock.owner,
    then: () => {
      lock.owner = me()
    },
  })
}

/** spin_unlock(). @primitive */
export function spin_unlock(lock: Spinlock): void {
  lock.owner = null
}
