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
  // The replay puts what it carried over behind the rows.
  const out = newBatch(ROWS + SPARE)
  const flush = (): void => {
    if (out.length === 0) return
    sink.events(out)
    out.length = 0
  }
  const begun = new Set<CpuStream>()
  let live = [...streams]
  for (;;) {
    let ended = false
    for (const stream of live) {
      if (!stream.has) await stream.ready(seen)
      ended ||= stream.ended
    }
    if (ended) {
      flush()
      for (const stream of live) if (stream.ended) sink.ended(stream)
      live = live.filter((stream) => !stream.ended)
    }
    if (live.length === 0) break
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
    if (!begun.has(first)) {
      begun.add(first)
      flush()
      sink.began(first)
    }
    const loss = unit.losses[first.loss]
    if (loss && loss.row <= first.row) {
      flush()
      sink.lost(first, loss)
      first.loss++
      continue
    }
    const limit = loss ? loss.row : unit.batch.length
    const { time } = unit.batch
    let to = first.row + 1
    while (to < limit && time[to] <= second) to++
    if (first.row === 0 && to === unit.batch.length && to > ROWS / 8) {
      // A whole unit in one piece: no need to copy it.
      flush()
      sink.events(unit.batch)
    } else {
      for (let row = first.row; row < to; ) {
        if (out.length === ROWS) flush()
        const rows = Math.min(to - row, ROWS - out.length)
        if (rows < 24) for (let i = 0; i < rows; i++) copyRow(unit.batch, row + i, out, out.length + i)
        else copyRows(unit.batch, row, row + rows, out, out.length)
        out.length += rows
        row += rows
      }
    }
    first.row = to
  }
  flush()
}
