/** A way through a run's states: that of a counterexample, as far as it is followed, and steps taken by hand after it. */
import { classifyHang, describeWaiting } from '../../../src/engine/hang.ts'
import type { Step } from '../../../src/engine/verdict.ts'
import { type Interpreter, interpret, type Transition } from '../../../src/ir/interpreter.ts'
import type { Check } from '../../../src/ir/program.ts'
import { DONE } from '../../../src/ir/state.ts'
import { type DescribedTrace, describeTrace } from '../../../src/report/describe.ts'
import { effectsOf } from '../../../src/report/effects.ts'
import type { PlayRun } from '../../../src/report/play.ts'
import { threadNames } from '../../../src/report/values.ts'

/** A run that can be stepped. */
export interface Machine {
  readonly run: PlayRun
  readonly interpreter: Interpreter
  readonly threads: readonly string[]
}

export function machineOf(run: PlayRun): Machine {
  return { run, interpreter: interpret(run.program), threads: threadNames(run.program) }
}

/** Thread, then the values of its choices. */
export type Move = readonly number[]

export interface Path {
  readonly steps: readonly Step[]
  /** `states[i]` is the state after i steps. After a fatal check the last one is the state in which it failed. */
  readonly states: readonly Int32Array[]
  readonly told: DescribedTrace
  /** Steps that are those of the counterexample; the others were taken by hand. */
  readonly given: number
  /** A fatal check ended the path with the last step. */
  readonly fatal: boolean
  readonly cycleFrom?: number
}

/** Follows moves from the initial state. Stops, and says where, at one that cannot be made. */
export function follow(machine: Machine, failure: number | undefined, given: number | undefined, own: readonly Move[]): Path {
  const { run, interpreter } = machine
  const found = failure === undefined ? undefined : run.failures[failure]
  const moves = found?.steps ?? []
  const kept = given === undefined ? moves : moves.slice(0, given)
  const steps: Step[] = []
  let from: Int32Array | null = interpreter.initial()
  for (const move of [...kept, ...own]) {
    if (!from) break
    const transition: Transition | undefined = transitionOf(interpreter, from, move)
    if (!transition) break
    steps.push({ from, transition })
    from = transition.to
  }
  const whole = found !== undefined && own.length === 0 && kept.length === moves.length
  const cycleFrom = whole ? found.cycleFrom : undefined
  const waiting = from && isHung(machine, from) ? describeWaiting(run.program, interpreter.shape, from) : undefined
  const told = describeTrace(run.program, { check: found?.check ?? 0, steps, cycleFrom, waiting })
  const last = steps.at(-1)
  // Where a fatal check stopped, what was written before it is written.
  const end = from ?? (last ? effectsOf(run.program, interpreter.shape, last).after : interpreter.initial())
  return { steps, states: [...steps.map((step) => step.from), end], told, given: Math.min(kept.length, steps.length), fatal: from === null, cycleFrom }
}

export function transitionOf(interpreter: Interpreter, from: Int32Array, move: Move): Transition | undefined {
  return interpreter.threadSuccessors(from, move[0]).find(({ choices }) => choices.join() === move.slice(1).join())
}

/** Nobody can move, and not everybody has ended. */
export function isHung({ run, interpreter }: Machine, state: Int32Array): boolean {
  const open = run.program.threads.some((_, thread) => state[interpreter.shape.threadBase[thread]] !== DONE)
  return open && interpreter.successors(state).length === 0
}

/** What is wrong with a state by itself: properties that do not hold in it, and a hang. */
export function wrongWith(machine: Machine, state: Int32Array): readonly Check[] {
  const { program } = machine.run
  const violated = machine.interpreter.stateViolations(state).map((check) => program.checks[check])
  if (!isHung(machine, state)) return violated
  const kind = classifyHang(program, machine.interpreter.shape, state)
  return [...violated, ...program.checks.filter((check) => check.kind === kind)]
}

/** Writes moves for the address: `0~1.0~0`. */
export function formatMoves(moves: readonly Move[]): string {
  return moves.map((move) => move.join('.')).join('~')
}

export function parseMoves(text: string | undefined): Move[] {
  if (!text) return []
  return text.split('~').map((move) => move.split('.').map(Number))
}
