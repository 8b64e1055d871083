/**
 * Puts one page's events in an order that explains every exact result, and tells it to those who judge lives. Nearly always it is the order of the
 * recording; where it is not, another is looked for around the impossible event.
 */
import { countAfter } from './count.ts'
import { Demand, type Letters } from './letters.ts'
import { type BreakReason, type LifeListener, UNKNOWN } from './life.ts'
import { findOrder } from './order.ts'
import { copyRow, type EventBatch, newBatch, Op } from './page-event.ts'
import { BIRTH, EXACT, type PageTable, type TrackedPage } from './page-table.ts'

/** Rows on each side of an impossible event that may be put in another order. */
const AROUND = 48

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

/** What is known of the recording as a whole. */
export interface Recording {
  letters: Letters
  /** Time stamps of different CPUs can be compared. */
  comparable: boolean
  /** How far apart two CPUs' events of one page may have been logged against their order: nanoseconds. */
  late: number
  /** Counts up with each loss. */
  epoch: number
  lossSeen: boolean
  /** 0, 1 or 2: more than one. */
  cpus: number
  lastTime: number
  /** Frames that became other pages, as probes on memremap_pages told, in order. */
  births: { readonly time: number; readonly start: number; readonly end: number }[]
}

export class Settling {
  /** Rows of the batch, page after page. */
  rows = new Uint32Array(0)
  /** Rows that are too recent to be settled: they come again with the next batch. */
  carry = newBatch(256)
  private readonly table: PageTable
  private readonly listeners: readonly LifeListener[]
  private readonly recording: Recording
  private readonly onContradiction: ((one: Contradiction) => void) | undefined
  private searches = 0
  /** Events told so far. */
  told = 0

  constructor(table: PageTable, recording: Recording, listeners: readonly LifeListener[], onContradiction: ((one: Contradiction) => void) | undefined) {
    this.table = table
    this.recording = recording
    this.listeners = listeners
    this.onContradiction = onContradiction
  }

  /** Tells rows[from..to) of the page `index`, up to those that are younger than `settled`: what another CPU logs late may belong before them. */
  settle(index: number, batch: EventBatch, from: number, to: number, settled: number): void {
    const { table, rows, recording } = this
    const { demand, need, fixed, result, delta } = recording.letters
    const { letter, time } = batch
    let count = table.counts[index]
    const known = table.epochs[index] === recording.epoch && table.birthsSeen[index] === recording.births.length
    if (known && to === from + 1 && demand[letter[rows[from]]] === Demand.birth) {
      this.settleBirth(table.pages[index], batch, from, result[letter[rows[from]]])
      return
    }
    if (!known || Number.isNaN(count)) {
      this.settleSlowly(table.pages[index], batch, from, to, settled)
      return
    }
    let mark = table.marks[index] & ~BIRTH
    let cut = to
    while (cut > from && time[rows[cut - 1]] > settled) cut--
    let told = count
    for (let i = from; i < to; i++) {
      const at = letter[rows[i]]
      const demanded = demand[at]
      if (demanded !== Demand.none && (demanded === Demand.birth || (count === need[at]) !== (demanded === Demand.exactly))) {
        this.settleSlowly(table.pages[index], batch, from, to, settled)
        return
      }
      if (fixed[at] !== 0) {
        count = result[at]
        mark |= EXACT
      } else count += delta[at]
      if (i < cut) told = count
    }
    table.marks[index] = mark
    for (let k = cut; k < to; k++) this.keep(batch, rows[k])
    if (cut > from) this.tell(table.pages[index], batch, from, cut, told)
  }

  /** A row that makes the page, alone: there are as many in a row as the memory map that is made has pages. */
  private settleBirth(page: TrackedPage, batch: EventBatch, at: number, count: number): void {
    const { marks } = this.table
    if ((marks[page.index] & BIRTH) === 0) this.broken(page, 'reborn', batch.time[this.rows[at]])
    marks[page.index] |= BIRTH | EXACT
    this.tell(page, batch, at, at + 1, count)
  }

  private settleSlowly(page: TrackedPage, batch: EventBatch, start: number, to: number, settled: number): void {
    let from = start
    const { rows, recording } = this
    if (page.epoch !== recording.epoch) {
      this.broken(page, 'lost', batch.time[rows[from]])
      page.epoch = recording.epoch
    }
    if (page.birthsSeen < recording.births.length) from = this.splitAtBirth(page, batch, from, to)
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
    const { births } = this.recording
    let at = from
    for (; page.birthsSeen < births.length; page.birthsSeen++) {
      const birth = births[page.birthsSeen]
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

  private makesPage(batch: EventBatch, row: number): boolean {
    return this.recording.letters.demand[batch.letter[row]] === Demand.birth
  }

  /** The first row from `from` that makes the memory map, or `to`. */
  private lifeEnd(page: TrackedPage, batch: EventBatch, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      if (this.makesPage(batch, this.rows[i])) return i
      page.birth = false
    }
    return to
  }

  private birthsEnd(batch: EventBatch, from: number, to: number): number {
    let i = from
    while (i < to && this.makesPage(batch, this.rows[i])) i++
    return i
  }

  private settleRun(page: TrackedPage, batch: EventBatch, start: number, to: number, settled: number): void {
    const { rows } = this
    const { letters } = this.recording
    let from = start
    while (from < to) {
      if (Number.isNaN(page.count)) page.count = this.startingCount(page, batch, from, to)
      let count = page.count
      let i = from
      for (; i < to; i++) {
        const row = rows[i]
        if (!this.fits(batch, row, count)) break
        count = countAfter(batch, row, count)
        if (letters.fixed[batch.letter[row]] !== 0) page.exact = true
      }
      if (i === to) {
        // What is younger than `settled` may still have to go behind what another CPU logs late.
        let cut = to
        while (cut > from && batch.time[rows[cut - 1]] > settled) cut--
        for (let k = cut; k < to; k++) this.keep(batch, rows[k])
        this.tell(page, batch, from, cut, cut < to ? this.countAt(page, batch, from, cut) : count)
        return
      }
      const next = this.reorder(page, batch, from, i, to, settled)
      if (next < 0) return
      from = next
    }
  }

  /** Whether a row can follow a count. */
  private fits(batch: EventBatch, row: number, count: number): boolean {
    const { letters } = this.recording
    const at = batch.letter[row]
    const demanded = letters.demand[at]
    if (Number.isNaN(count) || demanded === Demand.none || demanded === Demand.birth) return true
    return (count === letters.need[at]) === (demanded === Demand.exactly)
  }

  /** What an add-unless excepts: 0, but for one function of old kernels; NaN where that is not known. */
  private readonly unless = (batch: EventBatch, row: number): number => this.recording.letters.unless(batch.letter[row])

  /** Row `bad` cannot follow; looks for another order around it. Gives where to go on, or -1 if all is told or carried over. */
  private reorder(page: TrackedPage, batch: EventBatch, from: number, bad: number, to: number, settled: number): number {
    const { rows } = this
    const { late, lastTime, cpus, comparable, lossSeen } = this.recording
    const time = batch.time[rows[bad]]
    let first = bad
    while (first > from && bad - first < AROUND && time - batch.time[rows[first - 1]] <= late) first--
    let last = bad + 1
    while (last < to && last - bad < AROUND && batch.time[rows[last]] - time <= late) last++
    if (last === to && settled !== Number.POSITIVE_INFINITY && lastTime - time <= late) {
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
    const edge = batch.time[rows[from]] === batch.time[rows[first]] && first === from && cpus > 1 && time - batch.time[rows[from]] <= late && from > 0
    const sure = comparable && !lossSeen && page.exact && !edge
    this.onContradiction?.({ page, time, row: rows[bad], batch, before: count, sure })
    this.broken(page, sure ? 'contradiction' : 'search', time)
    return this.resume(page, batch, bad)
  }

  private continues(batch: EventBatch, from: number, to: number, start: number): boolean {
    let count = start
    for (let i = from; i < to; i++) {
      const row = this.rows[i]
      if (!this.fits(batch, row, count)) return false
      count = countAfter(batch, row, count)
    }
    return true
  }

  /** Goes on at the impossible row, with what its own result says. */
  private resume(page: TrackedPage, batch: EventBatch, bad: number): number {
    const row = this.rows[bad]
    const { letters } = this.recording
    const at = batch.letter[row]
    page.count = UNKNOWN
    const op = batch.op[row]
    if (letters.fixed[at] !== 0 && (op === Op.modAndReturn || op === Op.modAndTest || op === Op.freeze)) page.count = letters.need[at]
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
    const { letters } = this.recording
    let sum = 0
    let hint = UNKNOWN
    let agree = true
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const op = batch.op[row]
      const at = batch.letter[row]
      if (op === Op.set || op === Op.unfreeze) {
        if (i === from) return op === Op.set ? UNKNOWN : 0
        break
      }
      if (letters.fixed[at] !== 0) {
        page.exact = true
        return letters.need[at] - sum
      }
      sum += countAfter(batch, row, 0)
      const start = batch.count[row] - sum
      if (Number.isNaN(hint)) hint = start
      else if (hint !== start) agree = false
    }
    return agree ? hint : UNKNOWN
  }

  private keep(batch: EventBatch, row: number): void {
    const { carry } = this
    if (carry.length === carry.capacity) {
      this.carry = newBatch(carry.length * 2)
      for (let i = 0; i < carry.length; i++) copyRow(carry, i, this.carry, i)
      this.carry.length = carry.length
    }
    copyRow(batch, row, this.carry, this.carry.length++)
  }

  private tell(page: TrackedPage, batch: EventBatch, from: number, to: number, after: number): void {
    this.told += to - from
    if (to > from) for (const listener of this.listeners) listener.run(page, batch, this.rows, from, to)
    page.count = after
  }

  broken(page: TrackedPage, why: BreakReason, time: number): void {
    for (const listener of this.listeners) listener.broken(page, why, time)
    page.count = UNKNOWN
    page.exact = false
  }
}
