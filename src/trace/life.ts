/**
 * What the replay gives to those who judge lives: for each device page its events in an order that explains every exact result.
 * The ledger of holders, the conformance to the model, the exports and the comparison of two traces read this.
 */
import type { EventBatch } from './page-event.ts'

/** Types of device memory; 'unknown' where only the zone or the shape says that a page is a device's. */
export type DeviceType = 'private' | 'coherent' | 'fsdax' | 'generic' | 'p2pdma' | 'unknown'

/** How a range became known, in the order of trust. */
export type RangeOrigin = 'kprobe' | 'iomem' | 'option' | 'zone' | 'shape'

/** A range of device pages of one type. */
export interface DeviceRange {
  /** Page frame numbers, inclusive. */
  readonly start: number
  readonly end: number
  readonly type: DeviceType
  readonly from: RangeOrigin
  /** The resource's name in /proc/iomem, if that is where it comes from. */
  readonly name: string | undefined
}

/** The count is not known. */
export const UNKNOWN = Number.NaN

/** One device page while the trace is replayed. */
export interface DevicePage {
  /** Counts up from 0 in order of first event: an index for side tables. */
  readonly index: number
  readonly pfn: number
  range: DeviceRange | undefined
  /** The count after the events told so far; `UNKNOWN` before the first exact one and after a loss. */
  count: number
}

/** Why what was known of a page's count, holders and runs is void from here. */
export type BreakReason =
  /** Events of the page may be lost. */
  | 'lost'
  /** The order search was given up: too many orders. */
  | 'search'
  /** No order explains the results: reported as bad-count; the replay starts anew behind it. */
  | 'contradiction'
  /** The memory map was made or taken down: the same frame number is another page now. */
  | 'reborn'

/** Who judges lives. */
export interface LifeListener {
  /**
   * The next events of `page`: `rows[from]` to `rows[to - 1]` of `batch`, in the settled order. `page.count` is the count before the first of
   * them. Settled: for any prefix there is no need to look back. Pages come in any order; the times of one page's rows may run backwards a
   * little, where two CPUs logged in the opposite order.
   */
  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void
  /** What was known of the page is void; a run that follows starts with an unknown count. */
  broken(page: DevicePage, why: BreakReason, time: number): void
  /** No more events. Open lives end here. */
  end(): void
}
