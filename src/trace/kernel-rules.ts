/**
 * What the auditor asks of the model about one kernel. Answered from the IR of `kernel/` (no table of lives exists elsewhere); the readers,
 * the replay and the ledger know only this interface, so that they run where no model is.
 */
import type { DeviceType } from './life.ts'

export interface KernelRules {
  /** A preset's name: `v6.1`. */
  readonly kernel: string
  /** The count at which a page of the type is free (or idle, for fsdax); undefined: the model has no such type on this kernel. */
  freeAt(type: DeviceType): 0 | 1 | undefined
  /**
   * Whether a put with this stack that makes a page of the type idle wakes those who wait for that.
   * `frames`: function names, innermost first, as `TraceTables.siteFrames`. undefined: no function of the stack is modelled.
   * Only for types somebody waits on by count (fsdax); undefined for others.
   */
  wakesAtIdle(type: DeviceType, frames: readonly string[]): boolean | undefined
  /** Functions that wait until a page of the type is idle, in this kernel: for the sentence that says who may sleep. */
  waiters(type: DeviceType): readonly string[]
}
