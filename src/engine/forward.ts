/** The one path among all shortest ones: fewest context switches, then threads in order, then choices in order. */
import type { Costs } from './backward.ts'
import type { StateGraph } from './graph.ts'

/** A step as (thread, how many of the thread's transitions that lead somewhere come before it). */
export interface Move {
  readonly thread: number
  readonly nth: number
}

export interface Path {
  readonly moves: readonly Move[]
  /** The state reached by the moves. */
  readonly end: number
  /** For a goal that is a step: the thread that takes it. */
  readonly lastThread?: number
}

/** Picks the path from `start`, which is in the first level of `costs`, to the goal. */
export function walkForwards(graph: StateGraph, threads: number, costs: readonly Costs[], start: number): Path {
  const sequence: number[] = []
  let last = -1
  let budget = costs[0].after(start, last)
  // All states that can be reached by the thread sequence chosen so far and from which the budget suffices.
  const candidates: Set<number>[] = [new Set([start])]
  let lastThread: number | undefined
  for (let level = 0; level < costs.length; level++) {
    const here = candidates[level]
    const switches = (thread: number): number => Number(last >= 0 && thread !== last)
    const chosen = Array.from({ length: threads }, (_, t) => t).find((t) => [...here].some((state) => costs[level].first(state, t) + switches(t) === budget))
    if (level === costs.length - 1) {
      const ends = [...here].filter((state) =>
        chosen === undefined ? costs[level].first(state, threads) === 0 : costs[level].first(state, chosen) + switches(chosen) === budget,
      )
      candidates[level] = new Set(ends)
      lastThread = chosen
      break
    }
    const thread = chosen as number
    budget -= switches(thread)
    last = thread
    sequence.push(thread)
    const next = new Set<number>()
    for (const state of here) forEachTarget(graph, state, thread, (to) => costs[level + 1].after(to, thread) === budget && next.add(to))
    candidates.push(next)
  }
  // Only states from which the rest of the sequence can be walked to the end.
  for (let level = sequence.length - 1; level >= 0; level--) {
    const kept = [...candidates[level]].filter((state) => firstInto(graph, state, sequence[level], candidates[level + 1]) !== undefined)
    candidates[level] = new Set(kept)
  }
  const moves: Move[] = []
  let state = start
  sequence.forEach((thread, level) => {
    const step = firstInto(graph, state, thread, candidates[level + 1]) as { nth: number; to: number }
    moves.push({ thread, nth: step.nth })
    state = step.to
  })
  return { moves, end: state, lastThread }
}

function forEachTarget(graph: StateGraph, state: number, thread: number, visit: (to: number, nth: number) => void): void {
  const count = graph.expand(state)
  let nth = 0
  for (let i = 0; i < count; i++) if (graph.thread(i) === thread) visit(graph.target(i), nth++)
}

function firstInto(graph: StateGraph, state: number, thread: number, into: ReadonlySet<number>): { nth: number; to: number } | undefined {
  let found: { nth: number; to: number } | undefined
  forEachTarget(graph, state, thread, (to, nth) => {
    if (!found && into.has(to)) found = { nth, to }
  })
  return found
}
