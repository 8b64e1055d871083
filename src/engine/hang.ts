/** What it means that nobody can move. */
import { evaluate } from '../ir/evaluate.ts'
import type { CheckKind, Guard, Program } from '../ir/program.ts'
import { DONE, type VectorShape } from '../ir/state.ts'
import type { Waiting } from './verdict.ts'

export type HangKind = Extract<CheckKind, 'deadlock' | 'lost-wake' | 'sleeps'>

export const HANG_KINDS: readonly HangKind[] = ['deadlock', 'lost-wake', 'sleeps']

/** Classifies a state in which no thread can move and not all have ended. */
export function classifyHang(program: Program, shape: VectorShape, state: Int32Array): HangKind {
  const waiting = describeWaiting(program, shape, state)
  if (waiting.some((one) => one.condition)) return 'lost-wake'
  const waitsOn = new Map(waiting.map((one) => [one.thread, one.on]))
  for (const { thread } of waiting) {
    let at: number | undefined = thread
    for (let steps = 0; at !== undefined && steps <= waiting.length; steps++) at = waitsOn.get(at)
    // Whoever can be followed for longer than there are threads runs into a cycle.
    if (at !== undefined) return 'deadlock'
  }
  return 'sleeps'
}

/** Tells what each thread that stands at a guard waits for. */
export function describeWaiting(program: Program, shape: VectorShape, state: Int32Array): Waiting[] {
  return program.threads.flatMap((_, thread) => {
    const guard = guardAt(program, shape, state, thread)
    if (!guard) return []
    const base = shape.threadBase[thread]
    const on = guard.waitsFor ? evaluate(guard.waitsFor, state, shape, base) - 1 : -1
    const condition = guard.sleepsUntil ? evaluate(guard.sleepsUntil, state, shape, base) !== 0 : undefined
    return [{ thread, what: guard.what, ...(on >= 0 ? { on } : {}), ...(condition === undefined ? {} : { condition }) }]
  })
}

function guardAt(program: Program, shape: VectorShape, state: Int32Array, thread: number): Guard | undefined {
  const counter = state[shape.threadBase[thread]]
  if (counter === DONE) return undefined
  const node = program.threads[thread].nodes[counter]
  return node.op === 'step' ? node.guard : undefined
}
