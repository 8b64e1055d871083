/** Several CPUs' events into one sequence by time. */
import { copyRow, copyRows, type EventBatch, newBatch } from '../page-event.ts'
import type { CpuStream } from './stream.ts'
import type { ReadUnit, UnitLoss } from './unit.ts'

/** Rows of a merged batch. */
const ROWS = 1 << 15
const SPARE = 1 << 11

export interface MergeSink {
  events(batch: EventBatch): void
  /** Called after all rows before it were given. */
  lost(stream: CpuStream, loss: UnitLoss): void
  /** Before the first and behind the last row of a stream. */
  began(stream: CpuStream): void
  ended(stream: CpuStream): void
  unit(unit: ReadUnit): void
}

/** Merges until all streams end. Rows of one CPU keep their order, whatever their stamps say. */
export async function merge(streams: readonly CpuStream[], sink: MergeSink): Promise<void> {
  const seen = (unit: ReadUnit): void => sink.unit(unit)
  const merger = new Merger(streams, sink)
  while (merger.live.length > 0) {
    for (const stream of merger.live) if (!stream.has) await stream.ready(seen)
    merger.advance()
  }
}

/** What there is to do between two waits: in functions of their own, since the engine compiles a function that waits anew for each place it goes on from. */
class Merger {
  live: readonly CpuStream[]
  private readonly sink: MergeSink
  private readonly begun = new Set<CpuStream>()
  // The replay puts what it carried over behind the rows.
  private readonly out = newBatch(ROWS + SPARE)

  constructor(streams: readonly CpuStream[], sink: MergeSink) {
    this.live = streams
    this.sink = sink
  }

  /** Goes on until a stream has to be waited for. */
  advance(): void {
    const { live } = this
    if (live.some((stream) => stream.ended)) {
      this.flush()
      for (const stream of live) if (stream.ended) this.sink.ended(stream)
      this.live = live.filter((stream) => !stream.ended)
      if (this.live.length === 0) return
    }
    while (this.step()) {}
  }

  /** One stream's rows up to the next of another. False if it has no more for now. */
  private step(): boolean {
    const { live } = this
    let first = live[0]
    let best = first.time
    let second = Number.POSITIVE_INFINITY
    for (let i = 1; i < live.length; i++) {
      const { time } = live[i]
      if (time < best) {
        second = best
        first = live[i]
        best = time
      } else if (time < second) second = time
    }
    const unit = first.unit as ReadUnit
    if (!this.begun.has(first)) {
      this.begun.add(first)
      this.flush()
      this.sink.began(first)
    }
    const loss = unit.losses[first.loss]
    if (loss && loss.row <= first.row) {
      this.flush()
      this.sink.lost(first, loss)
      first.loss++
      return first.has
    }
    const limit = loss ? loss.row : unit.batch.length
    const to = rowsUntil(unit.batch.time, first.row, limit, second)
    if (first.row === 0 && to === unit.batch.length && to > ROWS / 8) {
      // A whole unit in one piece: no need to copy it.
      this.flush()
      this.sink.events(unit.batch)
    } else this.append(unit.batch, first.row, to)
    first.row = to
    return first.has
  }

  private append(batch: EventBatch, from: number, to: number): void {
    const { out } = this
    for (let row = from; row < to; ) {
      if (out.length === ROWS) this.flush()
      const rows = Math.min(to - row, ROWS - out.length)
      if (rows < 24) for (let i = 0; i < rows; i++) copyRow(batch, row + i, out, out.length + i)
      else copyRows(batch, row, row + rows, out, out.length)
      out.length += rows
      row += rows
    }
  }

  private flush(): void {
    if (this.out.length === 0) return
    this.sink.events(this.out)
    this.out.length = 0
  }
}

/** The first row behind `from` that is later than a time; `limit` if there is none before it. */
function rowsUntil(times: Float64Array, from: number, limit: number, time: number): number {
  let to = from + 1
  while (to < limit && times[to] <= time) to++
  return to
}
