/** A search with nothing but the interpreter: slow, small, and able to run where no code may be generated. Its verdicts are those of `explore`. */
import { evaluate } from '../ir/evaluate.ts'
import { interpret, type Transition } from '../ir/interpreter.ts'
import type { CheckId, Program } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'
import { classifyHang } from './hang.ts'

export interface SmallOptions {
  /** Beyond it the search stops, and what was not found is not known. */
  readonly maxStates: number
  /** Told now and then; false stops the search. */
  readonly onProgress?: (states: number, depth: number) => boolean
}

export interface SmallResult {
  readonly verdict: 'pass' | 'violation' | 'vacuous' | 'inconclusive'
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Why it is not known whether more fails. */
  readonly limit?: string
  /** Failed checks, each with a shortest way: thread, then the values of its choices. */
  readonly failures: readonly { readonly check: CheckId; readonly steps: readonly (readonly number[])[] }[]
  /** Names of what never happened and should have. */
  readonly never: readonly string[]
}

interface Seen {
  readonly state: Int32Array
  /** Index of the state before; -1 for the first. */
  readonly from: number
  readonly move: readonly number[]
  readonly depth: number
}

const TELL_EVERY = 512

/** Searches by breadth. A livelock is not looked for: where one is possible the verdict is inconclusive. */
export function searchSmall(program: Program, { maxStates, onProgress }: SmallOptions): SmallResult {
  const machine = interpret(program)
  const { shape } = machine
  const seen: Seen[] = []
  const numbers = new Map<string, number>()
  const found = new Map<CheckId, (readonly number[])[]>()
  const reached = program.properties.sometimes.map(() => false)
  // Edges on which no thread gets done and nothing fails: a livelock is a cycle of these.
  const idle: number[][] = []
  let transitions = 0
  let limit: string | undefined
  const wayTo = (index: number, last?: readonly number[]): (readonly number[])[] => {
    const moves: (readonly number[])[] = last ? [last] : []
    for (let at = index; seen[at].from >= 0; at = seen[at].from) moves.unshift(seen[at].move)
    return moves
  }
  const fail = (check: CheckId, index: number, last?: readonly number[]): void => {
    if (!found.has(check)) found.set(check, wayTo(index, last))
  }
  const visit = (state: Int32Array, from: number, move: readonly number[]): number => {
    const key = state.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    const index = seen.length
    numbers.set(key, index)
    seen.push({ state, from, move, depth: from < 0 ? 0 : seen[from].depth + 1 })
    idle.push([])
    for (const check of machine.stateViolations(state)) fail(check, index)
    program.properties.sometimes.forEach(({ cond }, i) => {
      if (!reached[i] && evaluate(cond, state, shape, 0) !== 0) reached[i] = true
    })
    return index
  }
  visit(machine.initial(), -1, [])
  for (let at = 0; at < seen.length; at++) {
    const { state } = seen[at]
    if (seen.length >= maxStates) {
      limit = `${maxStates.toLocaleString('en')} states reached, the limit where the interpreter searches`
      break
    }
    if (at % TELL_EVERY === TELL_EVERY - 1 && onProgress && !onProgress(seen.length, seen[at].depth)) {
      limit = 'stopped'
      break
    }
    const next = machine.successors(state)
    transitions += next.length
    if (next.length === 0 && program.threads.some((_, thread) => state[shape.threadBase[thread]] !== DONE)) {
      const kind = classifyHang(program, shape, state)
      const check = program.checks.findIndex((one) => one.kind === kind)
      if (check >= 0) fail(check, at)
    }
    for (const transition of next) step(at, transition)
  }

  function step(at: number, transition: Transition): void {
    const move = [transition.thread, ...transition.choices]
    for (const check of transition.violations) fail(check, at, move)
    if (!transition.to) return
    const to = visit(transition.to, at, move)
    if (!transition.progress && !transition.failed) idle[at].push(to)
  }

  const never = program.properties.sometimes.flatMap(({ name, exempt }, i) => (reached[i] || exempt !== undefined ? [] : [name]))
  if (limit === undefined && hasCycle(idle)) limit = 'whether threads can keep one another from getting done for ever is not decided here'
  const failures = [...found].map(([check, steps]) => ({ check, steps }))
  const verdict = failures.length > 0 ? 'violation' : limit !== undefined ? 'inconclusive' : never.length > 0 ? 'vacuous' : 'pass'
  const depth = seen[seen.length - 1].depth
  return { verdict, states: seen.length, transitions, depth, failures, never: limit === undefined ? never : [], ...(limit === undefined ? {} : { limit }) }
}

/** Takes away states that no edge leads to, again and again: what is left lies on cycles or behind them. */
function hasCycle(edges: readonly (readonly number[])[]): boolean {
  const into = new Uint32Array(edges.length)
  for (const list of edges) for (const to of list) into[to]++
  const free: number[] = []
  for (let i = 0; i < edges.length; i++) if (into[i] === 0) free.push(i)
  let gone = 0
  while (free.length > 0) {
    const at = free.pop() as number
    gone++
    for (const to of edges[at]) if (--into[to] === 0) free.push(to)
  }
  return gone < edges.length
}
