/**
 * The order of one page's operations where two CPUs logged them in the opposite order: an event is written after its operation, so each CPU's
 * own order is right, and the merge by time may not be. Looks for a merge that every exact result allows.
 */
import { allowed, countAfter } from './count.ts'
import type { EventBatch } from './page-event.ts'

/** Nodes a search may visit. */
export const MOST_NODES = 100_000

export type OrderResult =
  | { readonly found: true; readonly rows: readonly number[]; readonly count: number }
  /** No merge is allowed; `exhausted` false: the search was given up. */
  | { readonly found: false; readonly exhausted: boolean }

/**
 * Finds an order of `rows` (given in the order of the merged trace) that keeps each CPU's order and starts at count `start`; of several, one
 * near to the given. `unless` gives the excepted value of a row's add-unless.
 */
export function findOrder(batch: EventBatch, rows: readonly number[], start: number, unless: (row: number) => number, most = MOST_NODES): OrderResult {
  const lanes: number[][] = []
  const laneOf = new Map<number, number>()
  for (const row of rows) {
    const cpu = batch.cpu[row]
    let lane = laneOf.get(cpu)
    if (lane === undefined) {
      lane = lanes.length
      laneOf.set(cpu, lane)
      lanes.push([])
    }
    lanes[lane].push(row)
  }
  const place = new Map(rows.map((row, i) => [row, i]))
  const positions = new Array<number>(lanes.length).fill(0)
  const dead = new Set<string>()
  const chosen: number[] = []
  let nodes = 0
  let final = start
  const visit = (count: number): boolean | undefined => {
    if (chosen.length === rows.length) {
      final = count
      return true
    }
    const key = `${positions.join(',')}:${count}`
    if (dead.has(key)) return false
    if (++nodes > most) return undefined
    const next = lanes
      .map((lane, i) => ({ lane: i, row: lane[positions[i]] }))
      .filter(({ row }) => row !== undefined)
      .sort((a, b) => (place.get(a.row) ?? 0) - (place.get(b.row) ?? 0))
    for (const { lane, row } of next) {
      if (!allowed(batch, row, count, unless(row))) continue
      positions[lane]++
      chosen.push(row)
      const result = visit(countAfter(batch, row, count))
      if (result !== false) return result
      chosen.pop()
      positions[lane]--
    }
    dead.add(key)
    return false
  }
  const result = visit(start)
  if (result === true) return { found: true, rows: [...chosen], count: final }
  return { found: false, exhausted: result === false }
}
