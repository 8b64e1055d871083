/** From merged events to the lives of device pages: selects device pages, gathers each one's events, tells of losses. */
import { PAGES, roomFor } from './columns.ts'
import { Letters } from './letters.ts'
import type { DeviceRange, LifeListener } from './life.ts'
import { batchBytes, copyRow, copyRows, type EventBatch, newBatch } from './page-event.ts'
import { CERTAIN, type PageTable, type TrackedPage } from './page-table.ts'
import { type FrameSet, RangeTable } from './ranges.ts'
import { type Contradiction, type Recording, Settling } from './settling.ts'
import type { Loss, RangeEvent, TraceHead } from './source.ts'
import { Zones } from './zone.ts'

/** How far apart two CPUs' events of one page may have been logged against their order: nanoseconds. */
const LATE = { comparable: 2e6, local: 50e6 }

export interface ReplayOptions {
  readonly ranges: readonly DeviceRange[]
  /** Frames of ordinary memory, if that is known: never device pages, unless a range says so. */
  readonly ordinary?: FrameSet
  readonly onContradiction?: (one: Contradiction) => void
}

/** Feeds lives to listeners. Call `head`, then `events`, `range` and `lost` as they come, then `end`. */
export class Replay {
  readonly table: PageTable
  readonly ranges: RangeTable
  zones = new Zones(undefined)
  private readonly listeners: readonly LifeListener[]
  private readonly options: ReplayOptions
  private readonly recording: Recording = {
    letters: new Letters(undefined),
    comparable: true,
    late: LATE.comparable,
    epoch: 0,
    lossSeen: false,
    cpus: 0,
    lastTime: Number.NEGATIVE_INFINITY,
    births: [],
  }
  private readonly settling: Settling
  private release: string | undefined
  private firstCpu = -1
  /** Per row of the batch, its page's index; -1: no device page. */
  private rowPage = new Int32Array(0)
  /** Per page, while a batch is gathered: how many rows it has, then where they begin. */
  private starts = new Uint32Array(PAGES)
  private touched = new Int32Array(PAGES)

  constructor(table: PageTable, listeners: readonly LifeListener[], options: ReplayOptions) {
    this.table = table
    this.listeners = listeners
    this.options = options
    this.ranges = new RangeTable(options.ranges)
    this.settling = new Settling(table, this.recording, listeners, options.onContradiction)
  }

  head(head: TraceHead): void {
    const { recording } = this
    this.release = head.release
    recording.letters = new Letters(head.release)
    this.zones = new Zones(head.release, !head.format.startsWith('trace.dat'))
    recording.comparable = head.comparable !== false
    recording.late = recording.comparable ? LATE.comparable : LATE.local
  }

  /** Events that were told to listeners. */
  get told(): number {
    return this.settling.told
  }

  /** What the letters of batches mean, while listeners are told and afterwards. */
  get letters(): Letters {
    return this.recording.letters
  }

  range(event: RangeEvent): void {
    const frames = this.ranges.apply(event, this.release)
    if (!frames || event.kind !== 'map') return
    this.recording.births.push({ time: event.time, start: frames.start, end: frames.end })
    for (const page of this.table.pages) if (page.pfn >= frames.start && page.pfn <= frames.end) page.range = this.ranges.find(page.pfn)
  }

  lost(_loss: Loss): void {
    this.settleCarry()
    this.recording.epoch++
    this.recording.lossSeen = true
  }

  /** The batch's letters must be filled in. */
  events(batch: EventBatch): void {
    if (batch.length === 0) return
    this.countCpus(batch)
    this.round(batch, this.recording.cpus > 1)
  }

  end(): void {
    this.settleCarry()
    const { epoch, lastTime } = this.recording
    const { pages, epochs } = this.table
    for (let index = 0; index < pages.length; index++) if (epochs[index] !== epoch) this.settling.broken(pages[index], 'lost', lastTime)
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
    if (this.settling.carry.length === 0) return
    const batch = newBatch(this.settling.carry.length)
    this.round(batch, false)
  }

  private countCpus(batch: EventBatch): void {
    const { recording } = this
    const { cpu, length } = batch
    if (this.firstCpu < 0) {
      this.firstCpu = cpu[0]
      recording.cpus = 1
    }
    for (let row = 0; row < length && recording.cpus < 2; row++) if (cpu[row] !== this.firstCpu) recording.cpus = 2
  }

  /** One batch, with what was carried over behind it. */
  private round(given: EventBatch, carryOn: boolean): void {
    const { settling, recording } = this
    const { carry } = settling
    const own = given.length
    let batch = given
    if (carry.length > 0) {
      batch = roomy(given, own + carry.length)
      for (let i = 0; i < carry.length; i++) copyRow(carry, i, batch, own + i)
      batch.length = own + carry.length
      carry.length = 0
    }
    const n = batch.length
    this.rowPage = roomFor(this.rowPage, n)
    settling.rows = roomFor(settling.rows, n)
    // Carried rows first: they are the older.
    const touched = this.count(batch, 0, own, this.count(batch, own, n, 0))
    this.lay(touched)
    this.place(own, n)
    this.place(0, own)
    if (own > 0) recording.lastTime = Math.max(recording.lastTime, batch.time[own - 1])
    this.settleAll(batch, touched, carryOn ? recording.lastTime - recording.late : Number.POSITIVE_INFINITY)
    if (batch === given) batch.length = own
  }

  // Loops over pages and rows are functions of their own: the engine compiles a long function that is called seldom over and over.

  /** From how many rows each page has to where they begin. */
  private lay(touched: number): void {
    const { starts } = this
    let at = 0
    for (let i = 0; i < touched; i++) {
      const index = this.touched[i]
      const count = starts[index]
      starts[index] = at
      at += count
    }
  }

  private settleAll(batch: EventBatch, touched: number, settled: number): void {
    const { settling, starts } = this
    let from = 0
    for (let i = 0; i < touched; i++) {
      const index = this.touched[i]
      const to = starts[index]
      starts[index] = 0
      settling.settle(index, batch, from, to, settled)
      from = to
    }
  }

  /** Finds the pages of rows, and counts the rows of each. Gives how many pages there are, with the `touched` there were. */
  private count(batch: EventBatch, from: number, to: number, before: number): number {
    const { table, rowPage } = this
    const { pfn } = batch
    let touched = before
    for (let row = from; row < to; row++) {
      let index = table.find(pfn[row])
      if (index < 0 || (table.marks[index] & CERTAIN) === 0) index = this.ask(batch, row, index)
      rowPage[row] = index
      if (index < 0) continue
      if (index >= this.starts.length) this.starts = roomFor(this.starts, index + 1)
      if (this.starts[index]++ === 0) {
        if (touched >= this.touched.length) this.touched = roomFor(this.touched, touched + 1)
        this.touched[touched++] = index
      }
    }
    return touched
  }

  private place(from: number, to: number): void {
    const { rowPage, starts } = this
    const { rows } = this.settling
    for (let row = from; row < to; row++) {
      const index = rowPage[row]
      if (index >= 0) rows[starts[index]++] = row
    }
  }

  /** The page of a row whose page is not known (-1), or not known to be a device's; -1: it is none. */
  private ask(batch: EventBatch, row: number, index: number): number {
    const pfn = batch.pfn[row]
    const page = index < 0 ? undefined : this.table.pages[index]
    const known = page ? page.range !== undefined : this.ranges.find(pfn) !== undefined
    const device = this.zones.candidate(batch, row, known)
    if (device === false || (!known && this.options.ordinary?.has(pfn))) return -1
    if (page) {
      if (device === true) page.certain = true
      return index
    }
    const made = this.table.add(pfn, Zones.key(batch, row))
    made.range = this.ranges.find(pfn)
    made.epoch = this.recording.epoch
    return made.index
  }
}

/** The batch itself if it has room for `rows`, or a larger copy. */
function roomy(batch: EventBatch, rows: number): EventBatch {
  if (batch.capacity >= rows) return batch
  const bigger = newBatch(rows, new ArrayBuffer(batchBytes(rows)))
  copyRows(batch, 0, batch.length, bigger, 0)
  bigger.length = batch.length
  return bigger
}
