/** One function of a model, lowered by itself: for questions about what it can do in any state. */
import type { Column, ColumnId, LocalId, Thread } from './program.ts'

/**
 * A function's graph. Its arguments may be anything; the other locals begin as 0. Calls of other functions are `load` nodes of a
 * column of the structure CALL: `field` is the callee's key (`file:name`), the indices of the places but the first are the
 * arguments, word by word, and `dsts` the results. A `load` of the structure RETURN before the end has the results as its indices.
 */
export interface FunctionBody {
  readonly thread: Thread
  /** Locals that hold the arguments, words in their parts. */
  readonly inputs: readonly LocalId[]
  column(id: ColumnId): Pick<Column, 'struct' | 'field' | 'display' | 'lo' | 'hi'>
}

export const CALL = '#call'
export const RETURN = '#return'
