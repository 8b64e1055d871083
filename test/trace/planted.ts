/** Recordings made wrong on purpose: a reference too many, a put that never comes, events that are lost. */

import type { DeviceRange } from '../../src/trace/life.ts'
import { copyRow, deltaOf, type EventBatch, newBatch, Op } from '../../src/trace/page-event.ts'
import type { Loss } from '../../src/trace/source.ts'

/** Rows of each page of the ranges, in order. */
export function rowsByPage(batch: EventBatch, ranges: readonly DeviceRange[]): Map<number, number[]> {
  const pages = new Map<number, number[]>()
  for (let row = 0; row < batch.length; row++) {
    const pfn = batch.pfn[row]
    if (!ranges.some(({ start, end }) => pfn >= start && pfn <= end)) continue
    const rows = pages.get(pfn)
    if (rows) rows.push(row)
    else pages.set(pfn, [row])
  }
  return pages
}

/** Rows that took a reference (`up`) or gave one back. */
export function changes(batch: EventBatch, rows: readonly number[], up: boolean): number[] {
  return rows.filter((row) => {
    const delta = deltaOf(batch.op[row], batch.val[row], batch.ret[row]) ?? 0
    return up ? delta > 0 : delta < 0
  })
}

/**
 * The recording as it would be had the get in `row` been done twice, or the put in it not at all. `own`: all rows of the page. It is never free again, so
 * what begins with a free page does not come.
 */
export function leaking(batch: EventBatch, own: readonly number[], row: number): EventBatch {
  const twice = batch.val[row] > 0
  const amount = Math.abs(batch.val[row])
  const gone = new Set<number>(twice ? [] : [row])
  const changed = new Map<number, number>()
  let over = false
  for (const i of own) {
    if (i <= row) continue
    const op = batch.op[i]
    const ret = batch.ret[i]
    const starts = op === Op.set || op === Op.unfreeze || (op === Op.freeze && ret !== 0) || (op === Op.modUnless && ret === 0)
    over ||= starts
    if (over) {
      gone.add(i)
      continue
    }
    changed.set(i, op === Op.modAndReturn ? ret + amount : op === Op.modAndTest ? 0 : ret)
    over = (op === Op.modAndTest && ret !== 0) || (op === Op.modAndReturn && batch.val[i] < 0 && ret <= 1)
  }
  const made = newBatch(batch.length + 1)
  for (let i = 0; i < batch.length; i++) {
    if (gone.has(i)) continue
    const at = made.length++
    copyRow(batch, i, made, at)
    const ret = changed.get(i)
    if (ret !== undefined) {
      made.count[at] += amount
      made.ret[at] = ret
    }
    if (i !== row || !twice) continue
    const again = made.length++
    copyRow(batch, i, made, again)
    made.count[again] += amount
    made.time[again] += 50
    if (batch.op[i] === Op.modAndReturn) made.ret[again] += amount
  }
  return made
}

/** Where events are lost: told when the CPU goes on, before this row. */
export interface Gap extends Loss {
  readonly row: number
}

/** Rows from..to without those of one CPU in between first..last, and where a reader tells of it. */
export function withGap(
  batch: EventBatch,
  from: number,
  to: number,
  first: number,
  last: number,
  cpu: number,
): { readonly batch: EventBatch; readonly gap: Gap } {
  const made = newBatch(Math.max(1, to - from))
  let after = Number.NEGATIVE_INFINITY
  let row = -1
  let before = Number.POSITIVE_INFINITY
  for (let i = from; i < to; i++) {
    const own = batch.cpu[i] === cpu
    if (own && i >= first && i < last) continue
    if (own && i < first) after = batch.time[i]
    if (own && i >= last && row < 0) {
      row = made.length
      before = batch.time[i]
    }
    copyRow(batch, i, made, made.length++)
  }
  return { batch: made, gap: { row: row < 0 ? made.length : row, cpu, after, before, events: 3 } }
}
