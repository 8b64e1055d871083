/** Lockdep's word at the end of a thread, for all of them: nobody holds a lock any more. */
import type { Column, Expr } from '../ir/program.ts'
import { binary, number } from './value.ts'

/** What tells that a lock is held, by the convention of guarded fields (see `race`): who owns it, or who is among its readers. */
const HOLDS = /(^|\.)(owner|readers|reading|irqs_off)$/

/** True where all locks of a program are free. `columns` by their ids. */
export function noLockHeld(columns: readonly Column[]): Expr {
  let free = number(1)
  columns.forEach(({ field, cells, display, ghost }, column) => {
    if (ghost || !HOLDS.test(field) || (display.kind !== 'thread' && display.kind !== 'bool')) return
    cells.forEach((_, cell) => {
      free = binary('&&', free, binary('==', { e: 'load', place: { column, index: number(cell) } }, number(0)))
    })
  })
  return free
}
