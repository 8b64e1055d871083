/** What the auditor found: the types that reports and `--json` are made from. */
import type { HolderClass } from './holder.ts'
import type { DeviceType, RangeOrigin } from './life.ts'

export type FindingKind = 'held' | 'silent-idle' | 'bad-count' | 'below-free' | 'get-on-free' | 'bad-free' | 'not-in-model'
/** error: with evidence. unknown: it could be, but events are lost or nothing decides. info: as it may be, the trace ends there. */
export type Severity = 'error' | 'unknown' | 'info'

export interface CallSite {
  /** The function to name: who took the reference, helpers and GUP's own functions passed over. */
  readonly function: string
  readonly class: HolderClass | undefined
  /** Function names, innermost first. */
  readonly stack: readonly string[]
  readonly references: number
  /** Where several sites explain the same references: the part that names this one, 0..1. */
  readonly share: number
}

export interface Finding {
  readonly kind: FindingKind
  readonly severity: Severity
  /** The pages are at rest but for what is told here: of what is no error, the first to look at. */
  readonly odd?: boolean
  /** The references are ten times as old as those of their site that ended: of what is no error, the next to look at. */
  readonly old?: boolean
  /** One or two sentences: what, how sure, and why. */
  readonly why: string
  /** Frame numbers, ascending. */
  readonly pages: readonly number[]
  readonly references: number
  /** The one to blame first. */
  readonly callsites: readonly CallSite[]
  /** An example: a page, and the task and time of the first such event or reference. */
  readonly example: { readonly pfn: number; readonly pid: number | undefined; readonly time: number | undefined; readonly age: number | undefined } | undefined
}

/** A range with the rule it was judged by. */
export interface JudgedRange {
  readonly start: number
  readonly end: number
  readonly type: DeviceType
  readonly freeAt: 0 | 1
  readonly from: RangeOrigin
  readonly name: string | undefined
  /** Device pages of it that had events; those that are above their free value at the end. */
  readonly pages: number
  readonly open: number
}
