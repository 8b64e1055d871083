/** How stored integers and the places they stand in are shown to a person. */
import { type Column, type Display, type Program, unreachable } from '../ir/program.ts'

/** GUP_PIN_COUNTING_BIAS of the kernel: what one pin adds to a page's count. */
const PIN = 1024

/** A value as the JSON reports write it. A null reference and "no thread" are null. */
export type Shown = number | boolean | string | null

/** Gives each thread a name of its own: threads that share one get `#2`, `#3`. */
export function threadNames(program: Program): string[] {
  const used = new Map<string, number>()
  return program.threads.map(({ name }) => {
    const nth = (used.get(name) ?? 0) + 1
    used.set(name, nth)
    return nth === 1 ? name : `${name}#${nth}`
  })
}

/**
 * Gives the value that stands for a stored integer. A count is given as the kernel's own integer: the model stores
 * references + bias * pins, the kernel references + 1024 * pins. Division truncates, so that an underflow stays -1.
 */
export function shownValue(display: Display, value: number, threads: readonly string[]): Shown {
  switch (display.kind) {
    case 'int':
      return value
    case 'bool':
      return value !== 0
    case 'count':
      return (value % display.bias) + PIN * Math.trunc(value / display.bias)
    case 'enum':
      return display.members[value] ?? value
    case 'ref':
      return value === 0 ? null : (display.objects[value - 1] ?? value)
    case 'thread':
      return value === 0 ? null : (threads[value - 1] ?? value)
    default:
      return unreachable(display)
  }
}

/** The same value in words: `NULL` for a null reference, `nobody` for no thread. */
export function valueText(display: Display, value: number, threads: readonly string[]): string {
  return String(shownValue(display, value, threads) ?? (display.kind === 'thread' ? 'nobody' : 'NULL'))
}

/** The short name of a cell: a field of the only page there is goes by the field alone, as in `_refcount`. */
export function cellName(column: Column, index: number): string {
  return column.struct === 'Page' && column.cells.length === 1 ? column.field : column.cells[index]
}
