/** What threads wait for, and where they stand while they do. */
import type { Waiting } from '../engine/verdict.ts'
import { evaluate } from '../ir/evaluate.ts'
import type { Program } from '../ir/program.ts'
import { DONE, type VectorShape } from '../ir/state.ts'
import { type Source, sourceOf } from './source.ts'

/** A thread that will never move again. */
export interface DescribedWait {
  readonly thread: string
  readonly what: string
  readonly on?: string
  readonly condition?: boolean
  readonly at: Source
}

/** Places each waiting thread of a hang in the source. */
export function describeWaits(
  program: Program,
  shape: VectorShape,
  threads: readonly string[],
  state: Int32Array,
  waiting: readonly Waiting[],
): DescribedWait[] {
  return waiting.map(({ thread, what, on, condition }) => ({
    thread: threads[thread],
    what,
    on: on === undefined ? undefined : threads[on],
    condition,
    at: sourceOf(program.threads[thread].nodes[state[shape.threadBase[thread]]].at),
  }))
}

/** What a thread waits for in a state; undefined if it can move or has ended. */
export function waitingOn(program: Program, shape: VectorShape, state: Int32Array, thread: number): string | undefined {
  const base = shape.threadBase[thread]
  const pc = state[base]
  if (pc === DONE) return undefined
  const node = program.threads[thread].nodes[pc]
  if (node.op !== 'step' || !node.guard) return undefined
  return evaluate(node.guard.cond, state, shape, base) === 0 ? node.guard.what : undefined
}
