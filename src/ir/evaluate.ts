/** Values of expressions in a state vector. */
import type { BinaryOp, Expr } from './program.ts'
import type { VectorShape } from './state.ts'

/**
 * Gives an expression's value in a state. `base` is the position of the evaluating thread's program counter
 * (its locals follow); properties, which read no local, may pass any number.
 */
export function evaluate(expr: Expr, state: Int32Array, shape: VectorShape, base: number): number {
  switch (expr.e) {
    case 'const':
      return expr.value
    case 'local':
      return state[base + 1 + expr.local]
    case 'load':
      return state[shape.columnBase[expr.place.column] + evaluate(expr.place.index, state, shape, base)]
    case 'not':
      return evaluate(expr.a, state, shape, base) === 0 ? 1 : 0
    case 'neg':
      return -evaluate(expr.a, state, shape, base) | 0
    case 'bin':
      if (expr.op === '&&') return evaluate(expr.a, state, shape, base) !== 0 && evaluate(expr.b, state, shape, base) !== 0 ? 1 : 0
      if (expr.op === '||') return evaluate(expr.a, state, shape, base) !== 0 || evaluate(expr.b, state, shape, base) !== 0 ? 1 : 0
      return applyBinary(expr.op, evaluate(expr.a, state, shape, base), evaluate(expr.b, state, shape, base))
    case 'cond':
      return evaluate(expr.c, state, shape, base) !== 0 ? evaluate(expr.a, state, shape, base) : evaluate(expr.b, state, shape, base)
  }
}

/** One binary operation on 32-bit integers; comparisons give 0 or 1, division truncates, division by zero gives 0. */
export function applyBinary(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return (a + b) | 0
    case '-':
      return (a - b) | 0
    case '*':
      return Math.imul(a, b)
    case '/':
      return b === 0 ? 0 : (a / b) | 0
    case '%':
      return b === 0 ? 0 : (a % b) | 0
    case '&':
      return a & b
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '<<':
      return a << b
    case '>>':
      return a >> b
    case '<':
      return a < b ? 1 : 0
    case '<=':
      return a <= b ? 1 : 0
    case '>':
      return a > b ? 1 : 0
    case '>=':
      return a >= b ? 1 : 0
    case '==':
      return a === b ? 1 : 0
    case '!=':
      return a !== b ? 1 : 0
    case '&&':
      return a !== 0 && b !== 0 ? 1 : 0
    case '||':
      return a !== 0 || b !== 0 ? 1 : 0
  }
}
