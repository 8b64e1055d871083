/** The reference meaning of a program: every transition out of a state, one node at a time. Slow, plain, and what the explorer is tested against. */
import { evaluate } from './evaluate.ts'
import { type Liveness, liveLocals } from './liveness.ts'
import { type CheckId, isAccess, type LocalId, type Node, type NodeId, type Program } from './program.ts'
import { DONE, initialState, type VectorShape, vectorShape } from './state.ts'

export interface Transition {
  readonly thread: number
  /** Values taken at each `choose`, in order. */
  readonly choices: readonly number[]
  /** Nodes executed, in order. */
  readonly nodes: readonly NodeId[]
  /** Checks that failed, in order, without repetition. */
  readonly violations: readonly CheckId[]
  /** An injected failure (`may_fail`) was taken. */
  readonly failed: boolean
  /** A top-level operation of the thread returned. */
  readonly progress: boolean
  /** The state reached; null if a fatal check ended the path. */
  readonly to: Int32Array | null
}

export interface InterpreterOptions {
  /** Locals that are dead are 0 (default true). Without it states with equal futures may differ: enough for a single run. */
  readonly zeroDeadLocals?: boolean
}

export interface Interpreter {
  readonly program: Program
  readonly shape: VectorShape
  /** The state in which every thread stands at its entry. */
  initial(): Int32Array
  /** All transitions out of a state: threads in order, choices counted upwards. */
  successors(state: Int32Array): Transition[]
  /** Transitions of one thread. */
  threadSuccessors(state: Int32Array, thread: number): Transition[]
  /** True if the thread has not ended and cannot move. */
  blocked(state: Int32Array, thread: number): boolean
  /** Checks of `always` that fail in a state; with all threads ended also those of `finally` and `eventually`. */
  stateViolations(state: Int32Array): CheckId[]
}

/** More nodes than any transition of a sound model executes: a loop without an access. */
const NODE_LIMIT = 100_000

/** Makes an interpreter of a program. Throws only on an internal error (a transition that never meets an access). */
export function interpret(program: Program, { zeroDeadLocals = true }: InterpreterOptions = {}): Interpreter {
  const shape = vectorShape(program)
  // Found out when first needed: an initial state needs none.
  const liveAt: Liveness[] = []

  function threadSuccessors(state: Int32Array, thread: number): Transition[] {
    const base = shape.threadBase[thread]
    const start = state[base]
    if (start === DONE) return []
    const result: Transition[] = []
    const nodes = program.threads[thread].nodes
    // Depth first over the values of each `choose`: `prefix` holds the choices to replay.
    const pending: number[][] = [[]]
    while (pending.length > 0) {
      const prefix = pending.pop() as number[]
      const outcome = run(state, thread, start, nodes, prefix)
      if (outcome === 'blocked') continue
      if ('count' in outcome) for (let value = outcome.count - 1; value >= 0; value--) pending.push([...prefix, value])
      else result.push(outcome)
    }
    return result
  }

  function run(
    from: Int32Array,
    thread: number,
    start: NodeId,
    nodes: readonly Node[],
    choices: readonly number[],
  ): Transition | 'blocked' | { count: number } {
    const state = Int32Array.from(from)
    const base = shape.threadBase[thread]
    const local = (id: LocalId): number => base + 1 + id
    const executed: NodeId[] = []
    const violations: CheckId[] = []
    let chosen = 0
    let accessed = false
    let failed = false
    let progress = false
    let at = start
    for (;;) {
      const node = nodes[at]
      const access = isAccess(node)
      if (accessed && (access || (node.op === 'choose' && !node.attached))) break
      if (node.op === 'step' && node.guard) {
        if (executed.length > 0) break
        if (evaluate(node.guard.cond, state, shape, base) === 0) return 'blocked'
      }
      if (executed.length > NODE_LIMIT)
        throw new Error(`[putpage internal bug] a step of ${program.threads[thread].name} at ${node.at.file}:${node.at.line} does not end`)
      executed.push(at)
      if (access) accessed = true
      if (node.progress) progress = true
      switch (node.op) {
        case 'assign':
          state[local(node.dst)] = evaluate(node.value, state, shape, base)
          break
        case 'load': {
          const values = node.places.map((place) => state[shape.columnBase[place.column] + evaluate(place.index, state, shape, base)])
          node.dsts.forEach((dst, i) => {
            state[local(dst)] = values[i]
          })
          break
        }
        case 'store': {
          const cells = node.places.map((place) => shape.columnBase[place.column] + evaluate(place.index, state, shape, base))
          const values = node.values.map((value) => evaluate(value, state, shape, base))
          cells.forEach((cell, i) => {
            state[cell] = values[i]
          })
          break
        }
        case 'choose': {
          if (chosen === choices.length) return { count: node.count }
          const value = choices[chosen++]
          if (node.failure && value === 1) failed = true
          state[local(node.dst)] = value
          break
        }
        case 'check':
          if (evaluate(node.fails, state, shape, base) !== 0) {
            if (!violations.includes(node.check)) violations.push(node.check)
            if (program.checks[node.check].fatal) return { thread, choices, nodes: executed, violations, failed, progress, to: null }
          }
          break
        case 'step':
        case 'branch':
        case 'end':
          break
      }
      if (node.op === 'end') {
        state[base] = DONE
        state.fill(0, base + 1, base + 1 + program.threads[thread].locals.length)
        remember(state)
        return { thread, choices, nodes: executed, violations, failed, progress: true, to: state }
      }
      at = node.op === 'branch' ? (evaluate(node.cond, state, shape, base) !== 0 ? node.then : node.else) : node.next
    }
    state[base] = at
    zeroDead(state, thread, at)
    remember(state)
    return { thread, choices, nodes: executed, violations, failed, progress, to: state }
  }

  function zeroDead(state: Int32Array, thread: number, at: NodeId): void {
    const base = shape.threadBase[thread] + 1
    if (!zeroDeadLocals) return
    liveAt[thread] ??= liveLocals(program.threads[thread])
    const alive = liveAt[thread].at(at)
    let next = 0
    for (let id = 0; id < program.threads[thread].locals.length; id++) {
      if (alive[next] === id) next++
      else state[base + id] = 0
    }
  }

  function remember(state: Int32Array): void {
    for (const property of program.properties.eventually) {
      if (evaluate(property.cond, state, shape, 0) !== 0) state[shape.columnBase[property.seen]] = 1
    }
  }

  function initial(): Int32Array {
    const state = initialState(program)
    remember(state)
    return state
  }

  return {
    program,
    shape,
    initial,
    threadSuccessors,
    successors: (state) => program.threads.flatMap((_, thread) => threadSuccessors(state, thread)),
    blocked: (state, thread) => state[shape.threadBase[thread]] !== DONE && threadSuccessors(state, thread).length === 0,
    stateViolations(state) {
      const fails = (cond: Parameters<typeof evaluate>[0]): boolean => evaluate(cond, state, shape, 0) === 0
      const violated: CheckId[] = program.properties.always.filter((property) => fails(property.cond)).map((property) => property.check)
      if (program.threads.every((_, t) => state[shape.threadBase[t]] === DONE)) {
        for (const property of program.properties.finally) if (fails(property.cond)) violated.push(property.check)
        for (const property of program.properties.eventually) if (state[shape.columnBase[property.seen]] === 0) violated.push(property.check)
      }
      return violated
    },
  }
}
