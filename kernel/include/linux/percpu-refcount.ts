// percpu_ref: include/linux/percpu-refcount.h, lib/percpu-refcount.c. The per-CPU counters are one sum: adding to one of
// several counters and adding to their sum cannot be told apart by anybody who reads only the sum, which is all the
// kernel does with them.
import { atomic, type Int, ledger, WARN_ON, type Word } from 'putpage/model'
import { rcu_read_lock, rcu_read_unlock, synchronize_rcu } from './rcupdate.ts'

/** Mode and DEAD live in one word with the per-CPU pointer, and are read in one load. */
export type PercpuMode = Word<{ percpu: boolean; dead: boolean }>

export class PercpuRef {
  mode: PercpuMode = { percpu: true, dead: false }
  /** Sum of the per-CPU counters. */
  percpu_count: Int<-4, 12> = 0
  /** The atomic counter, without the large bias it carries in per-CPU mode: 1 is the initial reference. */
  count: Int<-8, 12> = 1
  /** The bias is still in the counter, which therefore cannot be seen at 0. */
  biased = true
  /** `done`, the completion its release callback completes. */
  released = false
}

/** percpu_ref_tryget_live(): fails once the reference is dead. @primitive */
export function percpu_ref_tryget_live(ref: PercpuRef): boolean {
  rcu_read_lock()
  const got = percpu_ref_tryget_live_rcu(ref)
  rcu_read_unlock()
  return got
}

/** percpu_ref_tryget_live_rcu(): the same within the caller's RCU read section. @primitive */
export function percpu_ref_tryget_live_rcu(ref: PercpuRef): boolean {
  let got = false
  const mode = ref.mode
  if (mode.percpu) {
    atomic(() => {
      ref.percpu_count += 1
    })
    got = true
  } else if (!mode.dead) got = atomic_inc_not_zero(ref)
  return got
}

/** percpu_ref_tryget_many() for n references: only an atomic counter at 0 refuses. @primitive */
export function percpu_ref_tryget_many(ref: PercpuRef, n: number): boolean {
  rcu_read_lock()
  let got = false
  const mode = ref.mode
  if (mode.percpu) {
    atomic(() => {
      ref.percpu_count += n
    })
    got = true
  } else {
    atomic(() => {
      if (ref.biased || ref.count !== 0) {
        ref.count += n
        got = true
      }
    })
  }
  rcu_read_unlock()
  return got
}

/** @primitive */
function atomic_inc_not_zero(ref: PercpuRef): boolean {
  let got = false
  atomic(() => {
    if (ref.biased || ref.count !== 0) {
      ref.count += 1
      got = true
    }
  })
  return got
}

/** percpu_ref_get(): by who has a reference already; looks at nothing. @primitive */
export function percpu_ref_get(ref: PercpuRef): void {
  rcu_read_lock()
  const mode = ref.mode
  if (mode.percpu) {
    atomic(() => {
      ref.percpu_count += 1
    })
  } else {
    atomic(() => {
      ref.count += 1
    })
  }
  rcu_read_unlock()
}

/** percpu_ref_put_many(): at 0 the release callback runs. @primitive */
export function percpu_ref_put_many(ref: PercpuRef, n: number): void {
  rcu_read_lock()
  const mode = ref.mode
  if (mode.percpu) {
    atomic(() => {
      ref.percpu_count -= n
    })
  } else {
    let zero = false
    atomic(() => {
      ref.count -= n
      zero = !ref.biased && ref.count === 0
      // The kernel has a check only at the switch to atomic mode.
      ledger(ref.biased || ref.count >= 0, 'the pgmap gets back more references than were taken')
    })
    if (zero) ref.released = true
  }
  rcu_read_unlock()
}

/** percpu_ref_put(). @primitive */
export function percpu_ref_put(ref: PercpuRef): void {
  percpu_ref_put_many(ref, 1)
}

/** percpu_ref_kill(): dead and atomic in one store; the initial reference is given back at once, under the bias. @primitive */
export function percpu_ref_kill(ref: PercpuRef): void {
  atomic(() => {
    ref.mode = { percpu: false, dead: true }
    // One reference for the mode switch, less the initial one: the sum is unchanged.
  })
}

/**
 * The RCU callback of the switch to atomic mode. The kernel runs it from softirq some time after the grace period; only
 * the release of the reference depends on it, so the model runs it where the killer begins to wait for that release.
 */
export function percpu_ref_switch_to_atomic_rcu(ref: PercpuRef): void {
  synchronize_rcu()
  let zero = false
  atomic(() => {
    ref.count += ref.percpu_count
    ref.percpu_count = 0
    ref.biased = false
    WARN_ON(
      ref.count <= 0,
      'percpu ref (%ps) <= 0 (%ld) after switching to atomic',
      'the pgmap got back more references than were taken: its memory can go while somebody uses it, or its release never comes',
    )
  })
  atomic(() => {
    ref.count -= 1
    zero = ref.count === 0
  })
  if (zero) ref.released = true
}
