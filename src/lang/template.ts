/**
 * A program in which some switches are inputs: compiled once, made into the program of any of their values by other initial
 * values. Every branch on an input is still there, so it has more nodes than the program compiled for one set of switches.
 */
import type { Program } from '../ir/program.ts'
import type { Prepared } from './setup.ts'

/** Names the structure of the inputs, and the one object of it. */
export const INPUTS = 'change'

export interface Template {
  readonly program: Program
  /** The program with these inputs on and the others off; null where other values would need other code. */
  instantiate(on: ReadonlySet<string>): Instance | null
}

export interface Instance {
  readonly program: Program
  /** Inputs the set-up looked at. */
  readonly preparedBy: readonly string[]
}

export interface TemplateParts {
  readonly program: Program
  /** Runs the set-up under other switches; null if that needs other code. */
  readonly setUp: (on: ReadonlySet<string>) => Prepared | null
  /** Values before the set-up, by cell. */
  readonly initial: ReadonlyMap<string, number>
  /** Values that the code was made for, where the set-up touched them. */
  readonly prepared: ReadonlyMap<string, number>
  /** Cells that no thread writes, and the columns they belong to: code was folded by their values. */
  readonly unwritten: readonly { readonly cell: string; readonly column: string }[]
}

type SetUp = TemplateParts['setUp']

/** A set-up does the same under all switches that agree on those it looks at: it is run once for them. */
export function remembered(setUp: SetUp): SetUp {
  const earlier: { readonly on: ReadonlySet<string>; readonly prepared: Prepared }[] = []
  return (on) => {
    const same = earlier.find((one) => one.prepared.inputsRead.every((name) => one.on.has(name) === on.has(name)))
    if (same) return same.prepared
    const prepared = setUp(on)
    if (prepared) earlier.push({ on, prepared })
    return prepared
  }
}

/** Columns that no thread writes and that the set-up leaves otherwise under other switches: code must not be folded by them. */
export function columnsMoved({ setUp, initial, prepared, unwritten }: TemplateParts): ReadonlySet<string> {
  const looked = setUp(new Set())?.inputsRead ?? []
  const moved = new Set<string>()
  for (const on of [...looked.map((name) => [name]), looked]) {
    const values = setUp(new Set(on))?.values
    if (!values) continue
    for (const { cell, column } of unwritten) if ((values.get(cell) ?? initial.get(cell)) !== (prepared.get(cell) ?? initial.get(cell))) moved.add(column)
  }
  return moved
}

/** Makes a template of what the compiler found. */
export function template({ program: compiled, setUp, initial, prepared, unwritten }: TemplateParts): Template {
  const program = { ...compiled, inputs: compiled.columns.flatMap(({ struct, field }, column) => (struct === INPUTS ? [{ name: field, column }] : [])) }
  return {
    program,
    instantiate(on) {
      const after = setUp(on)
      if (after === null) return null
      const { values, inputsRead: preparedBy } = after
      const inputs = new Map(program.columns.flatMap(({ struct, cells, field }) => (struct === INPUTS ? [[cells[0], Number(on.has(field))] as const] : [])))
      const begins = (cell: string): number | undefined => values.get(cell) ?? initial.get(cell)
      if (unwritten.some(({ cell }) => begins(cell) !== (prepared.get(cell) ?? initial.get(cell)))) return null
      const columns = program.columns.map((column) => ({
        ...column,
        init: column.init.map((value, i) => inputs.get(column.cells[i]) ?? begins(column.cells[i]) ?? value),
      }))
      if (columns.some(({ init, lo, hi }) => init.some((value) => value < lo || value > hi))) return null
      return { program: { ...program, columns, changes: [...on].map((name) => `+${name}`) }, preparedBy }
    },
  }
}
