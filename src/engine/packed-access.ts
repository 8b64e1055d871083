/** Code that reads and writes the values of a packed state held in variables. */
import { type Expr, unreachable } from '../ir/program.ts'
import type { ColumnSlot, Layout, Slot } from './layout.ts'
import { lowMask } from './layout.ts'
import { bin, type Command, cond, get, not, num, set, truth, type Value, type Var, when } from './machine.ts'

/** Where a function keeps things: one variable a word of the state, one a local of the thread. */
export interface Frame {
  readonly layout: Layout
  readonly words: readonly Var[]
  readonly local: (id: number) => Var
  /** A variable nobody else uses. */
  readonly fresh: () => Var
}

/** Lowers an expression. Reads of columns come from the frame's words, so they see what the transition has written so far. */
export function lower(expr: Expr, frame: Frame): Value {
  switch (expr.e) {
    case 'const':
      return num(expr.value)
    case 'local':
      return get(frame.local(expr.local))
    case 'load':
      return readCell(frame, expr.place.column, lower(expr.place.index, frame))
    case 'not':
      return not(lower(expr.a, frame))
    case 'neg':
      return bin('-', num(0), lower(expr.a, frame))
    case 'cond':
      return cond(lower(expr.c, frame), lower(expr.a, frame), lower(expr.b, frame))
    case 'bin': {
      const a = lower(expr.a, frame)
      const b = lower(expr.b, frame)
      if (expr.op === '&&') return cond(a, truth(b), num(0))
      if (expr.op === '||') return cond(a, num(1), truth(b))
      return bin(expr.op, a, b)
    }
    default:
      return unreachable(expr)
  }
}

/** The value of a slot. */
export function readSlot(word: Value, slot: Slot): Value {
  if (slot.bits === 0) return num(slot.lo)
  const shifted = bin('>>>', word, num(slot.shift))
  const bits = slot.shift + slot.bits === 32 ? shifted : bin('&', shifted, num(lowMask(slot.bits)))
  return bin('+', bits, num(slot.lo))
}

/** A value as the bits of its slot, in place. */
export function slotBits(slot: Slot, value: Value): Value {
  if (slot.bits === 0) return num(0)
  return bin('<<', bin('&', bin('-', value, num(slot.lo)), num(lowMask(slot.bits))), num(slot.shift))
}

/** The value of `columns[column].cells[index]`. */
export function readCell(frame: Frame, column: number, index: Value): Value {
  const slot = frame.layout.columns[column]
  if (slot.bits === 0) return num(slot.lo)
  const last = Math.floor((slot.cells - 1) / slot.perWord)
  let word: Value = get(frame.words[slot.word + last])
  for (let w = last - 1; w >= 0; w--) word = cond(bin('<', index, num((w + 1) * slot.perWord)), get(frame.words[slot.word + w]), word)
  if (slot.cells === 1) return readSlot(word, { ...slot })
  const bits = bin('&', bin('>>>', word, shiftOf(slot, index)), num(lowMask(slot.bits)))
  return bin('+', bits, num(slot.lo))
}

/** Writes `columns[column].cells[index]`; index and value must be free of side effects and are evaluated several times. */
export function writeCell(frame: Frame, column: number, index: Value, value: Value): Command[] {
  const slot = frame.layout.columns[column]
  if (slot.bits === 0) return []
  const offset = bin('&', bin('-', value, num(slot.lo)), num(lowMask(slot.bits)))
  const write = (word: Var): Command => {
    const shift = slot.cells === 1 ? num(slot.shift) : shiftOf(slot, index)
    const hole = bin('^', bin('<<', num(lowMask(slot.bits)), shift), num(-1))
    return set(word, bin('|', bin('&', get(word), hole), bin('<<', offset, shift)))
  }
  const last = Math.floor((slot.cells - 1) / slot.perWord)
  let code: Command[] = [write(frame.words[slot.word + last])]
  for (let w = last - 1; w >= 0; w--) code = when(bin('<', index, num((w + 1) * slot.perWord)), [write(frame.words[slot.word + w])], code)
  return code
}

function shiftOf(slot: ColumnSlot, index: Value): Value {
  const within = slot.cells > slot.perWord ? bin('%', index, num(slot.perWord)) : index
  return bin('+', bin('*', within, num(slot.bits)), num(slot.shift))
}
