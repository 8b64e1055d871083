/** Stored integers as the exports show them. */
import { type Column, type Display, type Program, unreachable } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'

/** GUP_PIN_COUNTING_BIAS of the kernel: what one pin adds to a page's count. */
const PIN = 1024

/** Gives the value that stands for a stored integer: counts as the kernel's own integer, enumerations and references by name, null as `NULL`. */
export function exportedValue(program: Program, display: Display, value: number): number | boolean | string {
  switch (display.kind) {
    case 'int':
      return value
    case 'bool':
      return value !== 0
    case 'count':
      // Both truncate, so that an underflow is -1 here as it is there.
      return (value % display.bias) + PIN * Math.trunc(value / display.bias)
    case 'enum':
      return display.members[value] ?? value
    case 'ref':
      return value === 0 ? 'NULL' : (display.objects[value - 1] ?? value)
    case 'thread':
      return value === 0 ? 'nobody' : (uniqueThreadNames(program)[value - 1] ?? value)
    default:
      return unreachable(display)
  }
}

/** Gives every cell of a program, in the order of the state vector. */
export function cellsOf(program: Program): { readonly name: string; readonly column: Column }[] {
  return program.columns.flatMap((column) => column.cells.map((name) => ({ name, column })))
}

/** Gives each thread a name of its own: threads that share one get `#2`, `#3`. */
export function uniqueThreadNames(program: Program): string[] {
  const used = new Map<string, number>()
  return program.threads.map(({ name }) => {
    const nth = (used.get(name) ?? 0) + 1
    used.set(name, nth)
    return nth === 1 ? name : `${name}#${nth}`
  })
}

/** Gives where a thread stands, for a person: `put_page kernel/mm/swap.ts:12`, or `ended`. */
export function standingAt(program: Program, thread: number, counter: number): string {
  if (counter === DONE) return 'ended'
  const { file, line, stack } = program.threads[thread].nodes[counter].at
  return `${stack.at(-1)?.name ?? program.threads[thread].name} ${file}:${line}`
}
