/** The vector form of a state: where each cell, program counter and local stands. The packed form is `engine/layout.ts`. */
import type { Program } from './program.ts'

/** Program counter of a thread that has ended. */
export const DONE = -1

export interface VectorShape {
  /** `columnBase[c] + i` is the position of cell i of column c. */
  readonly columnBase: readonly number[]
  /** Position of each thread's program counter; its locals follow it in order. */
  readonly threadBase: readonly number[]
  readonly length: number
}

/** Gives the positions of a program's state vector: columns in order, then for each thread its program counter and locals. */
export function vectorShape(program: Program): VectorShape {
  let at = 0
  const columnBase = program.columns.map((column) => {
    const base = at
    at += column.cells.length
    return base
  })
  const threadBase = program.threads.map((thread) => {
    const base = at
    at += 1 + thread.locals.length
    return base
  })
  return { columnBase, threadBase, length: at }
}

/** The state in which the search begins: the columns' initial values, every thread at its entry, locals 0. */
export function initialState(program: Program): Int32Array {
  const shape = vectorShape(program)
  const state = new Int32Array(shape.length)
  program.columns.forEach((column, c) => {
    for (let i = 0; i < column.cells.length; i++) state[shape.columnBase[c] + i] = column.init[i]
  })
  program.threads.forEach((thread, t) => {
    state[shape.threadBase[t]] = thread.entry
  })
  return state
}
