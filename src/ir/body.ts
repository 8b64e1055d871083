/** One function of a model, lowered by itself: for questions about what it can do in any state. */
import type { Column, LocalId, Thread } from './program.ts'

/** A function's graph. Its arguments may be anything; the other locals begin as 0. */
export interface FunctionBody {
  readonly columns: readonly Pick<Column, 'struct' | 'field' | 'display' | 'lo' | 'hi' | 'word'>[]
  readonly thread: Thread
  /** Locals that hold the arguments. */
  readonly inputs: readonly LocalId[]
}
