/** Where a search begins. */
import { interpret } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'

/** The initial state, with what `eventually` remembers of it. */
export function initialVector(program: Program): Int32Array {
  return interpret(program).initial()
}
