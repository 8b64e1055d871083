/** Counts a program with the interpreter: what SPIN must find. */
import { evaluate } from '../../src/ir/evaluate.ts'
import { type Interpreter, interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'

export interface Count {
  readonly states: number
  /** Those that lead somewhere. */
  readonly transitions: number
  /** Those that a fatal check ended. */
  readonly ended: number
  /** Ids of the checks that fail somewhere; for a state in which nothing can move, the kind of the hang. */
  readonly failed: ReadonlySet<string>
}

/** Explores breadth first. Returns undefined beyond `limit` states. */
export function countStates(program: Program, limit = 100_000): Count | undefined {
  const interpreter = interpret(program)
  const failed = new Set<string>()
  const seen = new Set<string>()
  let frontier = [interpreter.initial()]
  seen.add(frontier[0].join())
  let transitions = 0
  let ended = 0
  while (frontier.length > 0) {
    const next: Int32Array[] = []
    for (const state of frontier) {
      for (const check of interpreter.stateViolations(state)) failed.add(program.checks[check].id)
      if (hung(interpreter, state)) failed.add(hangKind(interpreter, state))
      for (const { to, violations } of interpreter.successors(state)) {
        for (const check of violations) failed.add(program.checks[check].id)
        if (to === null) {
          ended++
          continue
        }
        transitions++
        const key = to.join()
        if (seen.has(key)) continue
        seen.add(key)
        next.push(to)
      }
    }
    if (seen.size > limit) return undefined
    frontier = next
  }
  return { states: seen.size, transitions, ended, failed }
}

function hung(interpreter: Interpreter, state: Int32Array): boolean {
  const alive = interpreter.program.threads.some((_, t) => state[interpreter.shape.threadBase[t]] !== -1)
  return alive && interpreter.successors(state).length === 0
}

/** A sleeper whose condition holds has lost its wake; else a cycle of waits is a deadlock; else somebody sleeps for ever. */
function hangKind({ program, shape }: Interpreter, state: Int32Array): 'lost-wake' | 'deadlock' | 'sleeps' {
  const on = new Map<number, number>()
  for (const [t, { nodes }] of program.threads.entries()) {
    const base = shape.threadBase[t]
    const node = nodes[state[base]]
    const guard = node?.op === 'step' ? node.guard : undefined
    if (guard?.sleepsUntil && evaluate(guard.sleepsUntil, state, shape, base) !== 0) return 'lost-wake'
    if (guard?.waitsFor) on.set(t + 1, evaluate(guard.waitsFor, state, shape, base))
  }
  const leadsBack = (from: number): boolean => {
    let at: number | undefined = from
    for (const _ of program.threads) at = on.get(at ?? 0)
    return at !== undefined && at !== 0
  }
  return program.threads.some((_, t) => leadsBack(t + 1)) ? 'deadlock' : 'sleeps'
}
