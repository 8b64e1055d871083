/** What one event says about the count. */
import { deltaOf, type EventBatch, Op } from './page-event.ts'

/** The count after row `row`, if it was `before` (NaN = unknown). An exact result decides, whatever was believed before. */
export function countAfter(batch: EventBatch, row: number, before: number): number {
  const op = batch.op[row]
  const val = batch.val[row]
  const ret = batch.ret[row]
  switch (op) {
    case Op.set:
    case Op.unfreeze:
      return val
    case Op.modAndReturn:
      return ret
    case Op.modAndTest:
      return ret !== 0 ? 0 : before + val
    case Op.modUnless:
      return ret !== 0 ? before + val : before
    case Op.freeze:
      return ret !== 0 ? 0 : before
    default:
      return before + (deltaOf(op, val, ret) ?? 0)
  }
}

/**
 * Whether row `row` can follow a count of `before` (NaN: anything can). An add-unless that failed says only "the count was the excepted value",
 * which is 0 everywhere but in mc_handle_swap_pte until 5.17, where it is 1: `unless` is that value (NaN: not known).
 */
export function allowed(batch: EventBatch, row: number, before: number, unless: number): boolean {
  if (Number.isNaN(before)) return true
  const val = batch.val[row]
  const ret = batch.ret[row]
  switch (batch.op[row]) {
    case Op.modAndReturn:
      return before + val === ret
    case Op.modAndTest:
      return (before + val === 0) === (ret !== 0)
    case Op.modUnless:
      return Number.isNaN(unless) || (before === unless) === (ret === 0)
    case Op.freeze:
      return (before === val) === (ret !== 0)
    case Op.unfreeze:
      return before === 0
    default:
      return true
  }
}
