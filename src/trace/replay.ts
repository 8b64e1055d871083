/** From merged events to the lives of device pages: selects device pages, puts each one's events in a possible order, tells of losses. */
import { allowed, countAfter } from './count.ts'
import { type BreakReason, type DeviceRange, type LifeListener, UNKNOWN } from './life.ts'
import { findOrder } from './order.ts'
import { batchBytes, copyRow, type EventBatch, newBatch, Op } from './page-event.ts'
import { versionOf } from './page-flags.ts'
import { PageTable, type TrackedPage } from './page-table.ts'
import { type FrameSet, RangeTable } from './ranges.ts'
import type { Loss, RangeEvent, TraceHead, TraceTables } from './source.ts'
import { Zones } from './zone.ts'

/** How far apart two CPUs' events of one page may have been logged against their order: nanoseconds. */
const LATE = { comparable: 2e6, local: 50e6 }
/** Rows on each side of an impossible event that may be put in another order. */
const AROUND = 48
/** The kernel's functions that make a memory map: what they set begins a page's life anew. */
const BIRTH = /^(memmap_init_zone_device|__init_zone_device_page|__init_single_page)$/
/** The one add-unless whose excepted value is 1, until Linux commit 27674ef6c73f (in v5.18): mm/memcontrol.c of 5.10. */
const UNLESS_ONE = 'mc_handle_swap_pte'

/** An event that no order explains. */
export interface Contradiction {
  readonly page: TrackedPage
  readonly time: number
  /** The row in `batch`, while it is being told. */
  readonly row: number
  readonly batch: EventBatch
  /** The count that all other events imply before it. */
  readonly before: number
  /** False where the order could be another than can be told: then it is no finding. */
  readonly sure: boolean
}

export interface ReplayOptions {
  readonly ranges: readonly DeviceRange[]
  /** Frames of ordinary memory, if that is known: never device pages, unless a range says so. */
  readonly ordinary?: FrameSet
  readonly onContradiction?: (one: Contradiction) => void
}

/** Feeds lives to listeners. Call `head`, then `events`, `range` and `lost` as they come, then `end`. */
export class Replay {
  readonly table = new PageTable()
  readonly ranges: RangeTable
  zones = new Zones(undefined)
  private readonly listeners: readonly LifeListener[]
  private readonly options: ReplayOptions
  private release: string | undefined
  private comparable = true
  private late = LATE.comparable
  private epoch = 0
  private lossSeen = false
  private cpus = 0
  private firstCpu = -1
  private carry = newBatch(256)
  private rowPage = new Int32Array(0)
  private rows = new Uint32Array(0)
  private starts = new Uint32Array(1 << 12)
  private touched = new Int32Array(1 << 12)
  private births: { time: number; start: number; end: number }[] = []
  private tables: TraceTables | undefined
  /** Per stack: 0 not looked at, 1 ordinary, 2 makes memory maps, 3 excepts 1. */
  private stackKind = new Uint8Array(1 << 10)
  private lastTime = Number.NEGATIVE_INFINITY
  private searches = 0

  constructor(listeners: readonly LifeListener[], options: ReplayOptions) {
    this.listeners = listeners
    this.options = options
    this.ranges = new RangeTable(options.ranges)
  }

  head(head: TraceHead): void {
    this.release = head.release
    if (head.release !== undefined) this.excepted = versionOf(head.release) < 5018 ? 1 : 0
    this.zones = new Zones(head.release, !head.format.startsWith('trace.dat'))
    this.comparable = head.comparable !== false
    this.late = this.comparable ? LATE.comparable : LATE.local
  }

  range(event: RangeEvent): void {
    const frames = this.ranges.apply(event, this.release)
    if (!frames || event.kind !== 'map') return
    this.births.push({ time: event.time, start: frames.start, end: frames.end })
    for (const page of this.table.pages) if (page.pfn >= frames.start && page.pfn <= frames.end) page.range = this.ranges.find(page.pfn)
  }

  lost(_loss: Loss): void {
    this.settleCarry()
    this.epoch++
    this.lossSeen = true
  }

  events(batch: EventBatch, tables: TraceTables): void {
    this.tables = tables
    if (batch.length === 0) return
    this.round(batch, this.cpus > 1)
  }

  end(): void {
    this.settleCarry()
    for (const page of this.table.pages) if (page.epoch !== this.epoch) this.broken(page, 'lost', this.lastTime)
    for (const listener of this.listeners) listener.end()
  }

  /** Device pages as far as can be told at the end: those in ranges, and those of the device's zone. */
  isDevice(page: TrackedPage): boolean {
    return page.range !== undefined || this.zones.isDevice(page.zone)
  }

  /** The same while events come; undefined as long as it may turn out either way. */
  isCertainlyDevice(page: TrackedPage): boolean | undefined {
    return page.certain || page.range !== undefined ? true : this.zones.settled(page.zone)
  }

  private settleCarry(): void {
    if (this.carry.length === 0) return
    const batch = newBatch(this.carry.length)
    this.round(batch, false)
  }

  /** One batch, with what was carried over behind it. */
  private round(given: EventBatch, carryOn: boolean): void {
    const { carry } = this
    const own = given.length
    let batch = given
    if (carry.length > 0) {
      batch = roomy(given, own + carry.length)
      for (let i = 0; i < carry.length; i++) copyRow(carry, i, batch, own + i)
      batch.length = own + carry.length
      carry.length = 0
    }
    const n = batch.length
    if (this.rowPage.length < n) {
      this.rowPage = new Int32Array(n * 2)
      this.rows = new Uint32Array(n * 2)
    }
    let touched = 0
    // Carried rows first: they are the older.
    for (let k = 0; k < n; k++) {
      const row = k < n - own ? own + k : k - (n - own)
      const page = this.pageOf(batch, row)
      if (!page) {
        this.rowPage[row] = -1
        continue
      }
      const { index } = page
      if (index >= this.starts.length) this.starts = grown(this.starts, index + 1)
      if (this.starts[index] === 0) {
        if (touched >= this.touched.length) this.touched = new Int32Array(grown(new Uint32Array(this.touched.buffer), touched + 1).buffer)
        this.touched[touched++] = index
      }
      this.starts[index]++
      this.rowPage[row] = index
    }
    let at = 0
    for (let i = 0; i < touched; i++) {
      const index = this.touched[i]
      const count = this.starts[index]
      this.starts[index] = at
      at += count
    }
    for (let k = 0; k < n; k++) {
      const row = k < n - own ? own + k : k - (n - own)
      const index = this.rowPage[row]
      if (index >= 0) this.rows[this.starts[index]++] = row
    }
    if (own > 0) this.lastTime = Math.max(this.lastTime, batch.time[own - 1])
    const settled = carryOn ? this.lastTime - this.late : Number.POSITIVE_INFINITY
    let from = 0
    for (let i = 0; i < touched; i++) {
      const index = this.touched[i]
      const to = this.starts[index]
      this.starts[index] = 0
      this.settle(this.table.pages[index], batch, from, to, settled)
      from = to
    }
    if (batch === given) batch.length = own
  }

  private pageOf(batch: EventBatch, row: number): TrackedPage | undefined {
    const pfn = batch.pfn[row]
    const cpu = batch.cpu[row]
    if (this.cpus < 2 && cpu !== this.firstCpu) {
      this.cpus++
      if (this.firstCpu < 0) this.firstCpu = cpu
    }
    let page = this.table.find(pfn)
    if (page?.certain) return page
    const known = page ? page.range !== undefined : this.ranges.find(pfn) !== undefined
    const device = this.zones.candidate(batch, row, known)
    if (device === false || (!known && this.options.ordinary?.has(pfn))) return undefined
    if (page && device === true) page.certain = true
    if (!page) {
      page = this.table.add(pfn, Zones.key(batch, row))
      page.range = this.ranges.find(pfn)
      page.epoch = this.epoch
    }
    return page
  }

  /** Puts rows[from..to) of a page in order and tells the listeners, up to those that are too recent to be settled. */
  private settle(page: TrackedPage, batch: EventBatch, start: number, to: number, settled: number): void {
    let from = start
    const { rows } = this
    if (page.epoch !== this.epoch) {
      this.broken(page, 'lost', batch.time[rows[from]])
      page.epoch = this.epoch
    }
    if (this.births.length > 0) from = this.splitAtBirth(page, batch, from, to)
    while (from < to) {
      const end = this.lifeEnd(page, batch, from, to)
      if (end > from) this.settleRun(page, batch, from, end, end === to ? settled : Number.POSITIVE_INFINITY)
      from = end
      if (from < to) {
        // The row at `from` begins the page anew.
        if (!page.birth) this.broken(page, 'reborn', batch.time[rows[from]])
        page.birth = true
        const next = this.birthsEnd(batch, from, to)
        this.settleRun(page, batch, from, next, Number.POSITIVE_INFINITY)
        from = next
      }
    }
  }

  /** A probe on memremap_pages told that the frame is another page from a time on. */
  private splitAtBirth(page: TrackedPage, batch: EventBatch, from: number, to: number): number {
    const { rows } = this
    let at = from
    for (const birth of this.births) {
      if (page.pfn < birth.start || page.pfn > birth.end || birth.time <= page.bornAt) continue
      let split = at
      while (split < to && batch.time[rows[split]] < birth.time) split++
      if (split === to) break
      if (split > at) this.settleRun(page, batch, at, split, Number.POSITIVE_INFINITY)
      if (page.bornAt !== Number.NEGATIVE_INFINITY || split > from || !Number.isNaN(page.count)) this.broken(page, 'reborn', birth.time)
      page.bornAt = birth.time
      at = split
    }
    return at
  }

  /** The first row from `from` that makes the memory map, or `to`. */
  private lifeEnd(page: TrackedPage, batch: EventBatch, from: number, to: number): number {
    const { rows } = this
    for (let i = from; i < to; i++) {
      const row = rows[i]
      if (batch.op[row] === Op.set && this.kindOf(batch.stack[row]) === 2) return i
      page.birth = false
    }
    return to
  }

  private birthsEnd(batch: EventBatch, from: number, to: number): number {
    let i = from
    while (i < to && batch.op[this.rows[i]] === Op.set && this.kindOf(batch.stack[this.rows[i]]) === 2) i++
    return i
  }

  private kindOf(stack: number): number {
    if (stack === 0) return 1
    if (stack >= this.stackKind.length) {
      const bigger = new Uint8Array(Math.max(stack + 1, this.stackKind.length * 2))
      bigger.set(this.stackKind)
      this.stackKind = bigger
    }
    let kind = this.stackKind[stack]
    if (kind === 0) {
      const frames = this.tables?.siteFrames(this.tables.site(stack)) ?? []
      kind = frames.slice(0, 4).some((name) => BIRTH.test(name)) ? 2 : frames.slice(0, 3).includes(UNLESS_ONE) ? 3 : 1
      this.stackKind[stack] = kind
    }
    return kind
  }

  private readonly unless = (batch: EventBatch, row: number): number => (this.kindOf(batch.stack[row]) === 3 ? this.excepted : 0)
  /** What `UNLESS_ONE` excepts in the kernel of the trace. */
  private excepted = Number.NaN

  private settleRun(page: TrackedPage, batch: EventBatch, start: number, to: number, settled: number): void {
    const { rows } = this
    let from = start
    while (from < to) {
      if (Number.isNaN(page.count)) page.count = this.startingCount(page, batch, from, to)
      let count = page.count
      let i = from
      for (; i < to; i++) {
        const row = rows[i]
        if (!allowed(batch, row, count, batch.op[row] === Op.modUnless ? this.unless(batch, row) : 0) && this.matters(batch, row)) break
        count = countAfter(batch, row, count)
        if (batch.op[row] !== Op.mod && isExact(batch, row)) page.exact = true
      }
      if (i === to) {
        // What is younger than `settled` may still have to go behind what another CPU logs late.
        let cut = to
        while (cut > from && batch.time[rows[cut - 1]] > settled) cut--
        for (let k = cut; k < to; k++) this.keep(batch, rows[k])
        if (cut < to) {
          count = page.count
          for (let k = from; k < cut; k++) count = countAfter(batch, rows[k], count)
        }
        this.tell(page, batch, from, cut, count)
        return
      }
      const next = this.reorder(page, batch, from, i, to, settled)
      if (next < 0) return
      from = next
    }
  }

  /** An add-unless that failed proves nothing where the page may be a tail that only looks like a head (6.12: page_is_fake_head). */
  private matters(batch: EventBatch, row: number): boolean {
    return batch.op[row] !== Op.modUnless || batch.ret[row] !== 0
  }

  /** Row `bad` cannot follow; looks for another order around it. Gives where to go on, or -1 if all is told or carried over. */
  private reorder(page: TrackedPage, batch: EventBatch, from: number, bad: number, to: number, settled: number): number {
    const { rows } = this
    const time = batch.time[rows[bad]]
    let first = bad
    while (first > from && bad - first < AROUND && time - batch.time[rows[first - 1]] <= this.late) first--
    let last = bad + 1
    while (last < to && last - bad < AROUND && batch.time[rows[last]] - time <= this.late) last++
    if (last === to && settled !== Number.POSITIVE_INFINITY && this.lastTime - time <= this.late) {
      // What is missing may still come: told up to here, the rest next time.
      const count = this.countAt(page, batch, from, first)
      for (let k = first; k < to; k++) this.keep(batch, rows[k])
      this.tell(page, batch, from, first, count)
      return -1
    }
    const before = this.countAt(page, batch, from, first)
    // The shortest stretch that works: events behind it keep their order.
    for (let end = bad + 1; end <= last; end = end === last ? last + 1 : Math.min(last, bad + (end - bad) * 2)) {
      const window = Array.from(rows.subarray(first, end))
      if (new Set(window.map((row) => batch.cpu[row])).size < 2) continue
      this.searches++
      const result = findOrder(batch, window, before, (row) => this.unless(batch, row), this.searches > 10_000 ? 200 : undefined)
      if (result.found && this.continues(batch, end, Math.min(to, end + 4), result.count)) {
        for (let k = 0; k < result.rows.length; k++) rows[first + k] = result.rows[k]
        this.tell(page, batch, from, end, result.count)
        return end
      }
      if (!result.found && !result.exhausted) {
        this.tell(page, batch, from, bad, this.countAt(page, batch, from, bad))
        this.broken(page, 'search', time)
        return this.resume(page, batch, bad)
      }
    }
    const count = this.countAt(page, batch, from, bad)
    this.tell(page, batch, from, bad, count)
    const edge = batch.time[rows[from]] === batch.time[rows[first]] && first === from && this.cpus > 1 && time - batch.time[rows[from]] <= this.late && from > 0
    const sure = this.comparable && !this.lossSeen && page.exact && !edge
    this.options.onContradiction?.({ page, time, row: rows[bad], batch, before: count, sure })
    this.broken(page, sure ? 'contradiction' : 'search', time)
    return this.resume(page, batch, bad)
  }

  private continues(batch: EventBatch, from: number, to: number, start: number): boolean {
    let count = start
    for (let i = from; i < to; i++) {
      const row = this.rows[i]
      if (!allowed(batch, row, count, this.unless(batch, row)) && this.matters(batch, row)) return false
      count = countAfter(batch, row, count)
    }
    return true
  }

  /** Goes on at the impossible row, with what its own result says. */
  private resume(page: TrackedPage, batch: EventBatch, bad: number): number {
    const row = this.rows[bad]
    page.count = UNKNOWN
    if (batch.op[row] === Op.modAndReturn) page.count = batch.ret[row] - batch.val[row]
    else if (batch.op[row] === Op.modAndTest && batch.ret[row] !== 0) page.count = -batch.val[row]
    else if (batch.op[row] === Op.freeze && batch.ret[row] !== 0) page.count = batch.val[row]
    else {
      this.tell(page, batch, bad, bad + 1, countAfter(batch, row, UNKNOWN))
      return bad + 1
    }
    return bad
  }

  private countAt(page: TrackedPage, batch: EventBatch, from: number, to: number): number {
    let count = page.count
    for (let k = from; k < to; k++) count = countAfter(batch, this.rows[k], count)
    return count
  }

  /** The count before rows[from..to) as their exact results tell it; else as the hints do, where they agree; else unknown. */
  private startingCount(page: TrackedPage, batch: EventBatch, from: number, to: number): number {
    const { rows } = this
    let sum = 0
    let hint = UNKNOWN
    let agree = true
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const op = batch.op[row]
      const val = batch.val[row]
      if (op === Op.set || op === Op.unfreeze) {
        if (i === from) return op === Op.set ? UNKNOWN : 0
        break
      }
      if (op === Op.modAndReturn) {
        page.exact = true
        return batch.ret[row] - val - sum
      }
      if (op === Op.modAndTest && batch.ret[row] !== 0) {
        page.exact = true
        return -val - sum
      }
      if (op === Op.freeze && batch.ret[row] !== 0) {
        page.exact = true
        return val - sum
      }
      sum += countAfter(batch, row, 0)
      const start = batch.count[row] - sum
      if (Number.isNaN(hint)) hint = start
      else if (hint !== start) agree = false
    }
    return agree ? hint : UNKNOWN
  }

  private keep(batch: EventBatch, row: number): void {
    if (this.carry.length === this.carry.capacity) this.carry = roomy(this.carry, this.carry.length * 2)
    copyRow(batch, row, this.carry, this.carry.length++)
  }

  private tell(page: TrackedPage, batch: EventBatch, from: number, to: number, after: number): void {
    if (to > from) for (const listener of this.listeners) listener.run(page, batch, this.rows, from, to)
    page.count = after
  }

  private broken(page: TrackedPage, why: BreakReason, time: number): void {
    for (const listener of this.listeners) listener.broken(page, why, time)
    page.count = UNKNOWN
    page.exact = false
  }
}

function isExact(batch: EventBatch, row: number): boolean {
  const op = batch.op[row]
  return op === Op.set || op === Op.unfreeze || op === Op.modAndReturn || ((op === Op.modAndTest || op === Op.freeze) && batch.ret[row] !== 0)
}

/** The batch itself if it has room for `rows`, or a larger copy. */
function roomy(batch: EventBatch, rows: number): EventBatch {
  if (batch.capacity >= rows) return batch
  const bigger = newBatch(rows, new ArrayBuffer(batchBytes(rows)))
  for (let i = 0; i < batch.length; i++) copyRow(batch, i, bigger, i)
  bigger.length = batch.length
  return bigger
}

function grown(array: Uint32Array, need: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(Math.max(need, array.length * 2))
  bigger.set(array)
  return bigger
}
