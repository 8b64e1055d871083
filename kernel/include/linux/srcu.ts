// Sleepable RCU: include/linux/srcu.h. A grace period waits for the read sections that had begun when it began.
import { atomic, block_until, held, me, nr_threads, type PerThread, perThread } from 'putpage/model'
import { change } from '../../switches.ts'

export class SrcuStruct {
  reading: PerThread<boolean> = perThread(false)
  /** Some grace period still waits for this reader. */
  awaited: PerThread<boolean> = perThread(false)
}

/** srcu_read_lock(). @primitive */
export function srcu_read_lock(srcu: SrcuStruct): void {
  srcu.reading[me()] = true
}

/** srcu_read_unlock(). @primitive */
export function srcu_read_unlock(srcu: SrcuStruct): void {
  atomic(() => {
    if (change.prove_locking) held(srcu.reading[me()], 'bad unlock balance')
    srcu.reading[me()] = false
    srcu.awaited[me()] = false
  })
}

/** synchronize_srcu(). One grace period at a time. @primitive */
export function synchronize_srcu(srcu: SrcuStruct): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) srcu.awaited[t] = srcu.reading[t]
  })
  for (let t = 0; t < nr_threads(); t++) block_until(() => !srcu.awaited[t], { on: () => null, what: 'synchronize_srcu()' })
}
