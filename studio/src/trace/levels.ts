/** A page's count over time at several levels of detail: blocks of 16, 256, ... events with the lowest and highest count in each. */
import { NOT_KNOWN, type Timeline } from '../../../src/report/timeline.ts'

const FACTOR = 16

export interface Level {
  readonly time: Float64Array
  readonly low: Int32Array
  readonly high: Int32Array
  /** The count after the last event of the block. */
  readonly last: Int32Array
}

/** Levels of pages, made when first drawn; those of the pages drawn last are kept. */
export class Levels {
  private readonly timeline: Timeline
  private readonly made = new Map<number, Level[]>()

  constructor(timeline: Timeline) {
    this.timeline = timeline
  }

  of(page: number): readonly Level[] {
    let levels = this.made.get(page)
    if (!levels) {
      levels = this.build(page)
      this.made.set(page, levels)
      if (this.made.size > 4000) this.made.delete(this.made.keys().next().value as number)
    }
    return levels
  }

  private build(page: number): Level[] {
    const { offsets, time, count } = this.timeline
    const from = offsets[page]
    const to = offsets[page + 1]
    const base: Level = { time: time.subarray(from, to), low: count.subarray(from, to), high: count.subarray(from, to), last: count.subarray(from, to) }
    const levels = [base]
    while (levels[levels.length - 1].time.length > FACTOR * 4) levels.push(coarser(levels[levels.length - 1]))
    return levels
  }
}

function coarser({ time, low, high, last }: Level): Level {
  const length = Math.ceil(time.length / FACTOR)
  const next = { time: new Float64Array(length), low: new Int32Array(length), high: new Int32Array(length), last: new Int32Array(length) }
  for (let i = 0; i < length; i++) {
    let lowest = Number.MAX_SAFE_INTEGER
    let highest = NOT_KNOWN
    const end = Math.min(time.length, (i + 1) * FACTOR)
    for (let k = i * FACTOR; k < end; k++) {
      if (low[k] !== NOT_KNOWN && low[k] < lowest) lowest = low[k]
      if (high[k] > highest) highest = high[k]
    }
    next.time[i] = time[i * FACTOR]
    next.low[i] = lowest === Number.MAX_SAFE_INTEGER ? NOT_KNOWN : lowest
    next.high[i] = highest
    next.last[i] = last[end - 1]
  }
  return next
}

/** The first index whose time is not before `at`. */
export function firstFrom(time: Float64Array, at: number): number {
  let low = 0
  let high = time.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (time[middle] < at) low = middle + 1
    else high = middle
  }
  return low
}
