/** Where a step is in the model, in the kernel's own terms. */
import type { Position } from '../ir/program.ts'

/** A place in the model. */
export interface Source {
  /** The innermost modelled function. */
  readonly function: string
  readonly file: string
  readonly line: number
  readonly text: string
  /** Innermost first, as the kernel prints a call trace, each with the line being executed in it. */
  readonly stack: readonly { readonly function: string; readonly file: string; readonly line: number }[]
}

/** The place of a node, with the line being executed in each calling function. */
export function sourceOf(at: Position): Source {
  const stack = at.stack.map((frame, i) => {
    const inner = at.stack[i + 1]
    return { function: frame.name, file: inner ? frame.file : at.file, line: inner ? inner.calledAt : at.line }
  })
  return { function: at.stack.at(-1)?.name ?? '', file: at.file, line: at.line, text: at.text, stack: stack.reverse() }
}

/** `fs/dax.ts`: the file as the kernel's tree has it. The model keeps the tree under `kernel/`, which adds nothing in a trace. */
export function shortFile(file: string): string {
  return file.replace(/^kernel\//, '')
}
