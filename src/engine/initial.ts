/** Where a search begins. */
import { interpret } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import { hashWords } from './hash.ts'
import { pack } from './layout.ts'
import type { Runner } from './runner.ts'

/** Puts the initial state, with what `eventually` remembers of it, as a record at `workspace.out`. */
export function putInitial(program: Program, { layout, workspace, memory }: Runner): void {
  pack(layout, interpret(program).initial(), memory, workspace.out)
  memory[workspace.out + layout.words] = hashWords(memory, workspace.out, layout.words)
  memory[workspace.out + layout.words + 1] = 0
}
