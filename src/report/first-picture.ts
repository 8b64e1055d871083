/** What is known of a recording while it is read: how many events fell on which frames when, in a raster that grows coarser as more frames and more time come. */
import type { LifeJudge } from '../trace/judge.ts'
import type { DevicePage } from '../trace/life.ts'
import type { EventBatch } from '../trace/page-event.ts'

export const PICTURE_ROWS = 96
export const PICTURE_COLUMNS = 256
/** Nanoseconds a column at first. */
const FINEST = 1 << 16

/** Row by row; row 0 is that of the lowest frames, column 0 the earliest. */
export interface Picture {
  readonly cells: Uint32Array
  /** The first frame of row 0, and frames a row. */
  readonly firstFrame: number
  readonly frames: number
  /** Of the trace's clock, and nanoseconds a column. */
  readonly start: number
  readonly span: number
}

export class FirstPicture implements LifeJudge {
  private cells = new Uint32Array(PICTURE_ROWS * PICTURE_COLUMNS)
  private firstFrame = -1
  private frames = 1
  private start = 0
  private span = FINEST
  private certain: (page: DevicePage) => boolean | undefined = () => undefined

  begin(_head: unknown, _rules: unknown, _typeOf: unknown, certain: (page: DevicePage) => boolean | undefined): void {
    this.certain = certain
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    // A page that may turn out to be none of a device's is drawn: a picture says what was seen so far.
    if (to <= from || this.certain(page) === false) return
    const row = this.rowOf(page.pfn, batch.time[rows[from]]) * PICTURE_COLUMNS
    for (let i = from; i < to; i++) {
      // Before the cells are named: they may become coarser.
      const column = this.columnOf(batch.time[rows[i]])
      this.cells[row + column]++
    }
  }

  broken(): void {}

  end(): void {}

  findings(): [] {
    return []
  }

  /** What was seen so far; undefined: nothing yet. */
  soFar(): Picture | undefined {
    if (this.firstFrame < 0) return undefined
    const { cells, firstFrame, frames, start, span } = this
    return { cells: cells.slice(), firstFrame, frames, start, span }
  }

  private rowOf(pfn: number, time: number): number {
    if (this.firstFrame < 0) {
      this.firstFrame = pfn
      this.start = time
    }
    if (pfn < this.firstFrame || pfn >= this.firstFrame + this.frames * PICTURE_ROWS) this.widen(pfn)
    return Math.floor((pfn - this.firstFrame) / this.frames)
  }

  /** The column of a time. What is told late, and was earlier than all before it, stands in the first. */
  private columnOf(time: number): number {
    let column = Math.max(0, Math.floor((time - this.start) / this.span))
    while (column >= PICTURE_COLUMNS) {
      this.span *= 2
      this.move((row, old) => row * PICTURE_COLUMNS + (old >> 1))
      column >>= 1
    }
    return column
  }

  /** As many frames a row as it takes for one frame more. */
  private widen(pfn: number): void {
    const { firstFrame, frames } = this
    const low = Math.min(pfn, firstFrame)
    const high = Math.max(pfn, firstFrame + frames * PICTURE_ROWS - 1)
    while (Math.floor(low / this.frames) * this.frames + this.frames * PICTURE_ROWS <= high) this.frames *= 2
    this.firstFrame = Math.floor(low / this.frames) * this.frames
    this.move((row, column) => Math.floor((firstFrame + row * frames - this.firstFrame) / this.frames) * PICTURE_COLUMNS + column)
  }

  private move(to: (row: number, column: number) => number): void {
    const cells = new Uint32Array(this.cells.length)
    this.cells.forEach((events, i) => {
      if (events > 0) cells[to(Math.floor(i / PICTURE_COLUMNS), i % PICTURE_COLUMNS)] += events
    })
    this.cells = cells
  }
}
