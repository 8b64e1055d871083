// RCU: a grace period waits for the read sections that had begun when it began, and for no others. A CPU with interrupts off
// is in a read section too, which is what GUP-fast relies on.
import { atomic, block_until, held, me, nr_threads, type PerThread, perThread, struct } from 'putpage/model'
import { change } from '../../switches.ts'

class Rcu {
  reading: PerThread<boolean> = perThread(false)
  irqs_off: PerThread<boolean> = perThread(false)
  /** Some grace period still waits for this reader. */
  awaited: PerThread<boolean> = perThread(false)
}
export const rcu = struct(Rcu)

/** rcu_read_lock(); not nested in this model. @primitive */
export function rcu_read_lock(): void {
  rcu.reading[me()] = true
}

/** rcu_read_unlock(). @primitive */
export function rcu_read_unlock(): void {
  atomic(() => {
    if (change.prove_locking) held(rcu.reading[me()], 'bad unlock balance')
    rcu.reading[me()] = false
    if (!rcu.irqs_off[me()]) rcu.awaited[me()] = false
  })
}

/** local_irq_save(). @primitive */
export function local_irq_save(): void {
  rcu.irqs_off[me()] = true
}

/** local_irq_restore(); interrupts that wait are answered by the caller. @primitive */
export function local_irq_restore(): void {
  atomic(() => {
    rcu.irqs_off[me()] = false
    rcu.awaited[me()] = false
  })
}

/** synchronize_rcu(), and the grace period before a call_rcu() callback. One grace period at a time. @primitive */
export function synchronize_rcu(): void {
  atomic(() => {
    for (let t = 0; t < nr_threads(); t++) rcu.awaited[t] = rcu.reading[t] || rcu.irqs_off[t]
  })
  for (let t = 0; t < nr_threads(); t++) block_until(() => !rcu.awaited[t])
}
