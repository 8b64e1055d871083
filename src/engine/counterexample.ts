/** Shortest counterexamples, the same ones whatever the number of workers. */
import { type Interpreter, interpret, type Transition } from '../ir/interpreter.ts'
import type { CheckId, Program } from '../ir/program.ts'
import { type Goal, walkBackwards } from './backward.ts'
import { type Move, walkForwards } from './forward.ts'
import type { StateGraph } from './graph.ts'
import { classifyHang, describeWaiting, HANG_KINDS, type HangKind } from './hang.ts'
import { leastPacked } from './least-packed.ts'
import type { Limits } from './limits.ts'
import type { Searched } from './search.ts'
import type { Counterexample, Step } from './verdict.ts'

/** Gives a counterexample for each check that failed in the search; none if interrupted. */
export async function buildCounterexamples(program: Program, graph: StateGraph, searched: Searched, limits: Limits): Promise<Map<CheckId, Counterexample>> {
  const interpreter = interpret(program)
  const failed = program.checks.flatMap((_, check) => {
    const level = searched.findings.failedAt[check]
    return level === undefined ? [] : [{ check, level }]
  })
  const found = findTargets(program, graph, failed)
  const goals: Goal[] = failed.map(({ check, level }) => ({
    level,
    seed: (costs) => {
      for (const state of found.get(check) ?? []) {
        if (!isStep(program, check)) costs.offerEnd(state)
        else for (const thread of raisingThreads(interpreter, graph.vector(state), check)) costs.offer(state, thread, 0)
      }
    },
  }))
  const costs = await walkBackwards(graph, program.threads.length, goals, limits)
  if (!costs) return new Map()
  const start = graph.numberOf(interpreter.initial())
  const result = new Map<CheckId, Counterexample>()
  failed.forEach(({ check }, g) => {
    const path = walkForwards(graph, program.threads.length, costs[g], start)
    const walk = replay(interpreter, path.moves)
    if (path.lastThread !== undefined) {
      const last = interpreter.threadSuccessors(walk.end, path.lastThread).find((transition) => transition.violations.includes(check))
      walk.steps.push({ from: walk.end, transition: last as Transition })
    }
    const hang = HANG_KINDS.includes(program.checks[check].kind as HangKind)
    result.set(check, { check, steps: walk.steps, ...(hang ? { waiting: describeWaiting(program, interpreter.shape, walk.end) } : {}) })
  })
  return result
}

/** Takes moves from the initial state, or from another one. */
export function replay(interpreter: Interpreter, moves: readonly Move[], from: Int32Array = interpreter.initial()): { steps: Step[]; end: Int32Array } {
  const steps: Step[] = []
  let end = from
  for (const { thread, nth } of moves) {
    const transition = interpreter.threadSuccessors(end, thread).filter((one) => one.to !== null)[nth]
    if (!transition) throw new Error('[putpage internal bug] generated code and interpreter disagree on a step')
    steps.push({ from: end, transition })
    end = transition.to as Int32Array
  }
  return { steps, end }
}

/** True if the check fails in a step, false if in a state: a hang, or a property of the scenario (not an `expect` in its code). */
export function isStep(program: Program, check: CheckId): boolean {
  if (HANG_KINDS.includes(program.checks[check].kind as HangKind)) return false
  const { always, finally: atEnd, eventually } = program.properties
  return ![...always, ...atEnd, ...eventually].some((property) => property.check === check)
}

function raisingThreads(interpreter: Interpreter, state: Int32Array, check: CheckId): number[] {
  return interpreter.program.threads.flatMap((_, t) => (interpreter.threadSuccessors(state, t).some((one) => one.violations.includes(check)) ? [t] : []))
}

/** The states at which each check fails first, or from which a step fails it. */
function findTargets(program: Program, graph: StateGraph, failed: readonly { check: CheckId; level: number }[]): Map<CheckId, readonly number[]> {
  const targets = new Map<CheckId, number[]>(failed.map(({ check }) => [check, []]))
  const { runner } = graph
  for (const level of new Set(failed.map((one) => one.level))) {
    const checks = failed.filter((one) => one.level === level).map((one) => one.check)
    const hangs = checks.filter((check) => HANG_KINDS.includes(program.checks[check].kind as HangKind))
    for (const state of graph.level(level)) {
      runner.clearFindings()
      graph.expand(state)
      for (const check of checks) if (runner.violated(check)) targets.get(check)?.push(state)
      if (hangs.length === 0 || runner.hungCount === 0) continue
      const kind = classifyHang(program, graph.layout.shape, graph.vector(state))
      for (const check of hangs) if (program.checks[check].kind === kind) targets.get(check)?.push(state)
    }
  }
  return new Map([...targets].map(([check, states]) => [check, leastPacked(graph, states)]))
}
