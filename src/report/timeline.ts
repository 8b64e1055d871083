/** The counts of all device pages over time, in columns: what a timeline draws, and what a page's life is made of. */
import { countAfter } from '../trace/count.ts'
import type { LifeJudge } from '../trace/judge.ts'
import type { BreakReason, DevicePage } from '../trace/life.ts'
import type { EventBatch } from '../trace/page-event.ts'
import type { TraceTables } from '../trace/source.ts'

/** The count is not known: stored in `Timeline.count`. */
export const NOT_KNOWN = -(2 ** 31)

/** Pages in order of their frame numbers; the events of page i are `offsets[i]` to `offsets[i + 1] - 1`, in the order settled by the replay. */
export interface Timeline {
  readonly pfns: Float64Array
  readonly offsets: Uint32Array
  /** Nanoseconds since `start`. */
  readonly time: Float64Array
  /** The count after the event, or `NOT_KNOWN`. */
  readonly count: Int32Array
  /** Nanoseconds of the trace's clock; `end` is since `start`. */
  readonly start: number
  readonly end: number
  readonly breaks: readonly TimelineBreak[]
}

export interface TimelineBreak {
  readonly pfn: number
  readonly time: number
  readonly why: BreakReason
}

/** What else is known of each event, by the same index. */
export interface TimelineDetails {
  readonly stack: Uint32Array
  readonly pid: Int32Array
  readonly val: Int32Array
  readonly op: Uint8Array
  readonly ret: Int32Array
}

/** Collects the lives of all device pages. Memory: 33 bytes an event while it collects. */
export class TimelineCollector implements LifeJudge {
  tables: TraceTables | undefined
  private length = 0
  private page = new Uint32Array(1 << 16)
  private time = new Float64Array(1 << 16)
  private count = new Int32Array(1 << 16)
  private stack = new Uint32Array(1 << 16)
  private pid = new Int32Array(1 << 16)
  private val = new Int32Array(1 << 16)
  private ret = new Int32Array(1 << 16)
  private op = new Uint8Array(1 << 16)
  private readonly pages: DevicePage[] = []
  private readonly breaks: (TimelineBreak & { readonly index: number })[] = []
  private device: (page: { readonly index: number; readonly pfn: number }) => boolean = () => true

  use(tables: TraceTables): void {
    this.tables = tables
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    this.pages[page.index] = page
    if (this.length + to - from > this.page.length) this.grow(this.length + to - from)
    let { count } = page
    for (let i = from; i < to; i++) {
      const row = rows[i]
      count = countAfter(batch, row, count)
      const at = this.length++
      this.page[at] = page.index
      this.time[at] = batch.time[row]
      this.count[at] = Number.isNaN(count) ? NOT_KNOWN : count
      this.stack[at] = batch.stack[row]
      this.pid[at] = batch.pid[row]
      this.val[at] = batch.val[row]
      this.ret[at] = batch.ret[row]
      this.op[at] = batch.op[row]
    }
  }

  private grow(needed: number): void {
    let size = this.page.length
    while (size < needed) size *= 2
    const longer = <T extends Uint32Array | Int32Array | Float64Array | Uint8Array>(old: T, made: T): T => {
      made.set(old)
      return made
    }
    this.page = longer(this.page, new Uint32Array(size))
    this.time = longer(this.time, new Float64Array(size))
    this.count = longer(this.count, new Int32Array(size))
    this.stack = longer(this.stack, new Uint32Array(size))
    this.pid = longer(this.pid, new Int32Array(size))
    this.val = longer(this.val, new Int32Array(size))
    this.ret = longer(this.ret, new Int32Array(size))
    this.op = longer(this.op, new Uint8Array(size))
  }

  broken(page: DevicePage, why: BreakReason, time: number): void {
    this.breaks.push({ index: page.index, pfn: page.pfn, time, why })
  }

  end(): void {}

  /** Asked when it is certain which pages are a device's. */
  findings(device: (page: { readonly index: number; readonly pfn: number }) => boolean): [] {
    this.device = device
    return []
  }

  /** Sorts by page; the collector is empty afterwards. */
  finish(): { readonly timeline: Timeline; readonly details: TimelineDetails } {
    const { pages, page, length } = this
    // The replay knows its pages by themselves, not by their numbers.
    const kept = [...pages.keys()].filter((index) => pages[index] !== undefined && this.device(pages[index])).sort((a, b) => pages[a].pfn - pages[b].pfn)
    const place = new Int32Array(pages.length).fill(-1)
    kept.forEach((index, i) => {
      place[index] = i
    })
    const offsets = new Uint32Array(kept.length + 1)
    let start = Number.POSITIVE_INFINITY
    let end = Number.NEGATIVE_INFINITY
    for (let i = 0; i < length; i++) {
      const at = place[page[i]]
      if (at < 0) continue
      offsets[at + 1]++
      if (this.time[i] < start) start = this.time[i]
      if (this.time[i] > end) end = this.time[i]
    }
    for (let i = 0; i < kept.length; i++) offsets[i + 1] += offsets[i]
    const total = offsets[kept.length]
    const next = offsets.slice()
    const order = new Uint32Array(total)
    for (let i = 0; i < length; i++) {
      const at = place[page[i]]
      if (at >= 0) order[next[at]++] = i
    }
    if (total === 0) {
      start = 0
      end = 0
    }
    const time = new Float64Array(total)
    for (let i = 0; i < total; i++) time[i] = this.time[order[i]] - start
    const sorted = <T extends Uint32Array | Int32Array | Uint8Array>(from: T, made: T): T => {
      for (let i = 0; i < total; i++) made[i] = from[order[i]]
      return made
    }
    const timeline: Timeline = {
      pfns: Float64Array.from(kept, (index) => pages[index].pfn),
      offsets,
      time,
      count: sorted(this.count, new Int32Array(total)),
      start,
      end: end - start,
      breaks: this.breaks.filter(({ index }) => place[index] >= 0).map(({ pfn, time: at, why }) => ({ pfn, time: at - start, why })),
    }
    const details: TimelineDetails = {
      stack: sorted(this.stack, new Uint32Array(total)),
      pid: sorted(this.pid, new Int32Array(total)),
      val: sorted(this.val, new Int32Array(total)),
      op: sorted(this.op, new Uint8Array(total)),
      ret: sorted(this.ret, new Int32Array(total)),
    }
    this.length = 0
    for (const name of ['page', 'time', 'count', 'stack', 'pid', 'val', 'ret', 'op'] as const)
      this[name] = new (this[name].constructor as new (n: number) => never)(0)
    return { timeline, details }
  }
}
