/**
 * The jobs a trace.dat's data is cut into, and what comes of each. A unit is some ring-buffer pages of one CPU; it is decompressed and parsed
 * with nothing but itself and the layout, so that units can be worked on by several threads.
 */
import type { EventBatch, PackedBatch } from '../page-event.ts'
import type { Compression } from './dat-head.ts'

/** What a unit's parser must know of the file. Plain data: it goes to worker threads. */
export interface UnitLayout {
  readonly little: boolean
  readonly pageSize: number
  readonly compression: Compression
  readonly timestamp: number
  readonly commit: number
  readonly commitSize: number
  readonly data: number
  /** Where the fields common to all events are. */
  readonly typeAt: number
  readonly flagsAt: number
  readonly pidAt: number
  /** Per event id, what it is; ids not listed are passed over. */
  readonly events: readonly UnitEvent[]
  /** Size of the kernel's long: of a stack's entries and of pfn and flags. */
  readonly long: 4 | 8
  readonly tsc: { readonly mult: number; readonly shift: number; readonly offset: number } | undefined
  /** Nanoseconds. */
  readonly offset: number
}

export type UnitEvent =
  | {
      readonly kind: 'page_ref'
      readonly id: number
      readonly op: number
      readonly pfn: number
      readonly flags: number
      readonly count: number
      readonly mapcount: number
      readonly mapping: number
      readonly mt: number
      readonly val: number
      /** -1: the event has none. */
      readonly ret: number
      readonly length: number
    }
  | { readonly kind: 'kernel_stack'; readonly id: number; readonly size: number; readonly caller: number }
  | { readonly kind: 'other'; readonly id: number }

/** A unit's bytes: chunks (each compressed by itself) or plain pages. */
export interface UnitJob {
  readonly number: number
  readonly cpu: number
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Offsets in `bytes` of chunks: start, packed size, size of each. Empty: plain pages. */
  readonly chunks: readonly number[]
  /** Offset in the file, for messages. */
  readonly offset: number
  /** Zones (`zoneKey`) whose events are left out: counted, but not given. */
  readonly drop: readonly number[]
  /** A buffer for the columns, if one is free. */
  readonly buffer: ArrayBuffer | undefined
  /** Why nothing follows though the file says so: the data of this CPU ends early. */
  readonly cut: string | undefined
}

/** Whoever works on units: this thread, or several. Results may come in any order. */
export interface UnitRunner {
  /** How many units are worth having under way at a time. */
  readonly width: number
  /** Which parser worked on it (each numbers stacks for itself, from 0), and what came out. */
  run(job: UnitJob): Promise<{ readonly parser: number; readonly result: UnitResult }>
}

/** An event kept as bytes: those of `kind: 'other'`. */
export interface RawEvent {
  readonly id: number
  readonly time: number
  readonly cpu: number
  readonly pid: number
  readonly data: Uint8Array
}

export interface UnitResult {
  readonly number: number
  readonly cpu: number
  readonly batch: PackedBatch
  /** page_ref events read, kept or not; and all records. */
  readonly events: number
  readonly records: number
  /** First and last time stamp of any record; NaN if there was none. */
  readonly first: number
  readonly last: number
  readonly raw: readonly RawEvent[]
  /** Losses: [row before which, number or -1, time of the last record before (NaN: none in this unit), time of the first after]. */
  readonly losses: readonly UnitLoss[]
  /** New stacks of this parser since its last unit, to be numbered on. */
  readonly stacks: { readonly lengths: Uint32Array; readonly words: Uint32Array }
  /** Stacks at the unit's beginning whose event was in the unit before: [level, pid, stack]. */
  readonly orphans: readonly (readonly [number, number, number])[]
  /** Rows at its end whose stack may come in the next unit, by level; -1: none. */
  readonly pending: readonly number[]
  /** Bytes of the last page that hold records, and that can. */
  readonly lastPage: { readonly used: number; readonly room: number }
  /** What was wrong with the bytes, if anything: a clause with the place. */
  readonly damage: string | undefined
}

/** A unit whose events can be read. */
export type ReadUnit = Omit<UnitResult, 'batch'> & { readonly batch: EventBatch }

export interface UnitLoss {
  readonly row: number
  readonly events: number | undefined
  readonly after: number
  readonly before: number
  readonly damage: boolean
}
