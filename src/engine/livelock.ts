/** Cycles in which nobody gets anywhere although everybody is given the chance. */
import { interpret } from '../ir/interpreter.ts'
import type { CheckId, Program } from '../ir/program.ts'
import { walkBackwards } from './backward.ts'
import { findComponents } from './components.ts'
import { replay } from './counterexample.ts'
import { type Move, walkForwards } from './forward.ts'
import type { StateGraph } from './graph.ts'
import { leastPacked } from './least-packed.ts'
import type { Limits } from './limits.ts'
import type { Counterexample } from './verdict.ts'

/**
 * Looks for a component of the edges without progress and without injected failure in which every thread takes a step or is
 * somewhere unable to move. Gives a shortest way to one, and a cycle in it that every thread's fairness permits;
 * undefined if there is none, null if time was up.
 */
export async function findLivelock(program: Program, graph: StateGraph, check: CheckId, limits: Limits): Promise<Counterexample | undefined | null> {
  const interpreter = interpret(program)
  const threads = program.threads.length
  const level = { least: Infinity, states: [] as number[] }
  const components = await findComponents(graph, limits, (members) => {
    // Called before the members' numbers tell them from others: a set does.
    const inside = new Set(members)
    if (!isFair(threads, members, (state) => fairness(graph, state, threads, interpreter.blocked, (to) => inside.has(to)))) return
    for (const member of members) {
      const at = graph.levelOf(member)
      if (at < level.least) {
        level.least = at
        level.states = []
      }
      if (at === level.least) level.states.push(member)
    }
  })
  if (!components) return null
  if (level.states.length === 0) return undefined
  const goal = {
    level: level.least,
    seed: (costs: { offerEnd: (state: number) => void }) => {
      for (const state of leastPacked(graph, level.states)) costs.offerEnd(state)
    },
  }
  const walked = await walkBackwards(graph, threads, [goal], limits)
  if (!walked) return null
  const [costs] = walked
  const stem = walkForwards(graph, threads, costs, graph.numberOf(interpreter.initial()))
  const cycle = fairCycle(graph, stem.end, threads, interpreter.blocked, (to) => components[to] === components[stem.end])
  const before = replay(interpreter, stem.moves)
  const after = replay(interpreter, cycle, before.end)
  return { check, steps: [...before.steps, ...after.steps], cycleFrom: before.steps.length }
}

type Blocked = (state: Int32Array, thread: number) => boolean

/** What one state gives to each thread's fairness: a silent step inside the component, or being unable to move. */
function fairness(
  graph: StateGraph,
  state: number,
  threads: number,
  blocked: Blocked,
  inside: (to: number) => boolean,
): { steps: boolean[]; unable: boolean[] } {
  const steps = new Array<boolean>(threads).fill(false)
  const unable = new Array<boolean>(threads).fill(true)
  graph.runner.clearFindings()
  const count = graph.expand(state)
  for (let i = 0; i < count; i++) {
    const thread = graph.thread(i)
    unable[thread] = false
    if (graph.flags(i) === 0 && inside(graph.target(i))) steps[thread] = true
  }
  // A thread whose every step is ended by a fatal check can move, but leaves no record.
  if (graph.runner.fatal > 0) {
    const vector = graph.vector(state)
    const base = graph.layout.shape.threadBase
    for (let t = 0; t < threads; t++) if (unable[t] && vector[base[t]] >= 0 && !blocked(vector, t)) unable[t] = false
  }
  return { steps, unable }
}

function isFair(threads: number, members: readonly number[], of: (state: number) => { steps: boolean[]; unable: boolean[] }): boolean {
  const satisfied = new Array<boolean>(threads).fill(false)
  let left = threads
  for (const member of members) {
    const { steps, unable } = of(member)
    for (let t = 0; t < threads; t++) {
      if (satisfied[t] || !(steps[t] || unable[t])) continue
      satisfied[t] = true
      left--
    }
    if (left === 0) return true
  }
  return false
}

/** A closed walk from `start` inside a component that satisfies each thread in turn by the nearest step or state that does. */
function fairCycle(graph: StateGraph, start: number, threads: number, blocked: Blocked, inside: (to: number) => boolean): Move[] {
  const moves: Move[] = []
  const satisfied = new Array<boolean>(threads).fill(false)
  let at = start
  const note = (state: number): void => {
    fairness(graph, state, threads, blocked, inside).unable.forEach((unable, t) => {
      if (unable) satisfied[t] = true
    })
  }
  const go = (found: Walk): void => {
    for (const { move, to } of found) {
      moves.push(move)
      satisfied[move.thread] = true
      note(to)
      at = to
    }
  }
  note(start)
  for (let t = 0; t < threads; t++) {
    if (satisfied[t]) continue
    go(nearest(graph, at, inside, (move, to) => move.thread === t || fairness(graph, to, threads, blocked, inside).unable[t]))
  }
  if (at !== start || moves.length === 0) go(nearest(graph, at, inside, (_, to) => to === start))
  return moves
}

type Walk = readonly { readonly move: Move; readonly to: number }[]

/** The shortest walk inside a component whose last step is wanted; breadth first, threads and choices in order. */
function nearest(graph: StateGraph, from: number, inside: (to: number) => boolean, wanted: (move: Move, to: number) => boolean): Walk {
  interface Visit {
    readonly state: number
    readonly by?: { readonly move: Move; readonly before: Visit }
  }
  const queue: Visit[] = [{ state: from }]
  const seen = new Set([from])
  for (const visit of queue) {
    for (const { move, to } of silentSteps(graph, visit.state, inside)) {
      const next: Visit = { state: to, by: { move, before: visit } }
      if (wanted(move, to)) {
        const walk: { move: Move; to: number }[] = []
        for (let v = next; v.by; v = v.by.before) walk.push({ move: v.by.move, to: v.state })
        return walk.reverse()
      }
      if (seen.has(to)) continue
      seen.add(to)
      queue.push(next)
    }
  }
  throw new Error('[putpage internal bug] a component is not connected')
}

function silentSteps(graph: StateGraph, state: number, inside: (to: number) => boolean): { move: Move; to: number }[] {
  const count = graph.expand(state)
  const result: { move: Move; to: number }[] = []
  let nth = 0
  for (let i = 0; i < count; i++) {
    const thread = graph.thread(i)
    nth = i > 0 && thread === graph.thread(i - 1) ? nth + 1 : 0
    const to = graph.target(i)
    if (graph.flags(i) === 0 && to >= 0 && inside(to)) result.push({ move: { thread, nth }, to })
  }
  return result
}
