/** Expressions in Promela: C's, with `(c -> a : b)` for a conditional. */
import type { Expr, Place } from '../ir/program.ts'
import type { Scope } from './promela-names.ts'

/** Prints an expression; parentheses wherever a reader might have to think. */
export function printExpr(expr: Expr, scope: Scope): string {
  const print = (one: Expr): string => printExpr(one, scope)
  switch (expr.e) {
    case 'const':
      return printConstant(expr.value)
    case 'local':
      return scope.local(expr.local)
    case 'load':
      return printPlace(expr.place, scope)
    case 'not':
      // `!!` is an operator of its own in Promela.
      return expr.a.e === 'not' ? `!(${print(expr.a)})` : `!${operand(expr.a, scope)}`
    case 'neg':
      return `(-${operand(expr.a, scope)})`
    case 'cond':
      return `(${print(expr.c)} -> ${print(expr.a)} : ${print(expr.b)})`
    case 'bin':
      return printBinary(expr, scope)
  }
}

/** Prints a cell: an array element, or a plain variable if the column has one cell. `index` stands for the index if it was computed before. */
export function printPlace(place: Place, scope: Scope, index = printExpr(place.index, scope)): string {
  const { name, cells } = scope.column(place.column)
  return cells === 1 ? name : `${name}[${index}]`
}

function printBinary(expr: Expr & { e: 'bin' }, scope: Scope): string {
  const a = operand(expr.a, scope, expr.op)
  const b = operand(expr.b, scope, expr.op)
  if (guardsDivision(expr)) {
    // Division by zero gives 0. C's would end SPIN.
    return `(${b} == 0 -> 0 : ${a} ${expr.op} ${b})`
  }
  if ((expr.op === '<<' || expr.op === '>>') && !(expr.b.e === 'const' && expr.b.value >= 0 && expr.b.value < 32)) {
    return `${a} ${expr.op} (${b} & 31)`
  }
  return `${a} ${expr.op} ${b}`
}

/** An operand needs no parentheses if it is a leaf, if the operator above is the same `&&` or `||`, or if it is a comparison under those. */
function operand(expr: Expr, scope: Scope, above?: string): string {
  const text = printExpr(expr, scope)
  if (expr.e !== 'bin' || guardsDivision(expr)) return text
  const logic = above === '&&' || above === '||'
  if (logic && (expr.op === above || ['<', '<=', '>', '>=', '==', '!='].includes(expr.op))) return text
  return `(${text})`
}

/** Division by something that may be 0 is printed as a conditional, in its own parentheses. */
function guardsDivision(expr: Expr & { e: 'bin' }): boolean {
  return (expr.op === '/' || expr.op === '%') && !(expr.b.e === 'const' && expr.b.value !== 0)
}

function printConstant(value: number): string {
  // The least integer is not a literal in C: 2147483648 is too large, and the minus comes after.
  if (value === -2147483648) return '(-2147483647 - 1)'
  return value < 0 ? `(${value})` : String(value)
}

/** Whether the value of an expression depends on shared state. */
export function readsMemory(expr: Expr): boolean {
  switch (expr.e) {
    case 'const':
    case 'local':
      return false
    case 'load':
      return true
    case 'not':
    case 'neg':
      return readsMemory(expr.a)
    case 'bin':
      return readsMemory(expr.a) || readsMemory(expr.b)
    case 'cond':
      return readsMemory(expr.c) || readsMemory(expr.a) || readsMemory(expr.b)
  }
}
