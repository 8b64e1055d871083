/** For failed checks: which states lie on a shortest path to a failure, and how few context switches the rest of it needs. */
import type { StateGraph } from './graph.ts'
import type { Limits } from './limits.ts'

/** No path. */
export const NEVER = 0xffff

/**
 * By state and first thread: the least number of context switches of a shortest path from here to a failure that begins with a
 * step of that thread. The entry after the last thread is 0 where the path may end.
 */
export class Costs {
  private readonly width: number
  private readonly slots = new Map<number, number>()
  private values = new Uint16Array(64)

  constructor(threads: number) {
    this.width = threads + 1
  }

  get states(): IterableIterator<number> {
    return this.slots.keys()
  }

  has(state: number): boolean {
    return this.slots.has(state)
  }

  /** Cost of the rest of the path when it begins with a step of `thread`. */
  first(state: number, thread: number): number {
    const slot = this.slots.get(state)
    return slot === undefined ? NEVER : this.values[slot + thread]
  }

  /** Cost of the rest of the path after a step of thread `last` (-1: none), counting the switch at its beginning. */
  after(state: number, last: number): number {
    const slot = this.slots.get(state)
    if (slot === undefined) return NEVER
    const threads = this.width - 1
    let least = this.values[slot + threads]
    for (let t = 0; t < threads; t++) {
      const cost = this.values[slot + t]
      if (cost !== NEVER) least = Math.min(least, cost + Number(last >= 0 && t !== last))
    }
    return least
  }

  offer(state: number, thread: number, cost: number): void {
    let slot = this.slots.get(state)
    if (slot === undefined) {
      slot = this.slots.size * this.width
      this.slots.set(state, slot)
      if (slot + this.width > this.values.length) {
        const values = new Uint16Array(this.values.length * 2 + this.width)
        values.set(this.values)
        this.values = values
      }
      this.values.fill(NEVER, slot, slot + this.width)
    }
    this.values[slot + thread] = Math.min(this.values[slot + thread], cost)
  }

  /** The path may end at this state. */
  offerEnd(state: number): void {
    this.offer(state, this.width - 1, 0)
  }
}

/** What a path is looked for to: states of `level`, given by `seed`. */
export interface Goal {
  readonly level: number
  /** Offers the failing states of the level, or failing first steps out of them. */
  readonly seed: (costs: Costs) => void
}

/** Walks backwards from all goals at once, each level expanded once. Gives for each goal its costs by level; null if interrupted. */
export async function walkBackwards(graph: StateGraph, threads: number, goals: readonly Goal[], limits: Limits): Promise<Costs[][] | null> {
  const costs: Costs[][] = goals.map((goal) => Array.from({ length: goal.level + 1 }, () => new Costs(threads)))
  const deepest = Math.max(-1, ...goals.map((goal) => goal.level))
  const wanted = new Uint8Array(graph.size)
  for (let level = deepest; level >= 0; level--) {
    const active = goals.flatMap((goal, g) => (goal.level > level ? [costs[g]] : []))
    for (const one of active) for (const state of one[level + 1].states) wanted[state] = 1
    if (active.length > 0) {
      let done = 0
      for (const state of graph.level(level)) {
        if ((++done & 1023) === 0) {
          await limits.breathe()
          if (limits.interrupted) return null
        }
        const count = graph.expand(state)
        for (let i = 0; i < count; i++) {
          const to = graph.target(i)
          if (to < 0 || wanted[to] === 0) continue
          const thread = graph.thread(i)
          for (const one of active) {
            const cost = one[level + 1].after(to, thread)
            if (cost !== NEVER) one[level].offer(state, thread, cost)
          }
        }
      }
    }
    for (const one of active) for (const state of one[level + 1].states) wanted[state] = 0
    goals.forEach((goal, g) => {
      if (goal.level === level) goal.seed(costs[g][level])
    })
  }
  return costs
}
