/** What an expression of a model denotes while it is lowered. */
import type ts from 'typescript'
import { applyBinary } from '../ir/evaluate.ts'
import type { BinaryOp, Expr } from '../ir/program.ts'
import type { Scope } from './context.ts'
import type { Segment } from './unit.ts'
import type { ScalarType, Struct, ValueType } from './value-type.ts'

export type Value =
  | { readonly v: 'scalar'; readonly expr: Expr; readonly type: ScalarType }
  /** A string whose enumeration is not known yet. */
  | { readonly v: 'literal'; readonly text: string }
  | { readonly v: 'null' }
  | { readonly v: 'word'; readonly type: Extract<ValueType, { k: 'word' }>; readonly parts: readonly Expr[] }
  | PlaceValue
  | { readonly v: 'function'; readonly body: ts.FunctionLikeDeclaration; readonly scope: Scope | undefined }
  /** Elements known one by one: a local array, or several named objects. */
  | { readonly v: 'list'; readonly elements: readonly Value[]; readonly locals?: readonly (readonly number[])[] }
  /** An object literal whose word type is not known yet. */
  | { readonly v: 'record'; readonly fields: ReadonlyMap<string, { readonly value: Value; readonly node: ts.Node }> }
  | { readonly v: 'void' }

/** Something in shared state: an object, or a field of one that was not read yet. */
export interface PlaceValue {
  readonly v: 'place'
  readonly struct: Struct
  /** Index of the object in its pool. */
  readonly object: Expr
  readonly path: readonly Segment[]
  /** Index of each array dimension of the path, in order. */
  readonly indices: readonly Expr[]
  readonly type: ValueType
  readonly guard?: { readonly holder: PlaceValue; readonly path: string }
  readonly ghost: boolean
}

export const VOID: Value = { v: 'void' }

export function constantOf(value: Value): number | undefined {
  return value.v === 'scalar' && value.expr.e === 'const' ? value.expr.value : undefined
}

export function number(value: number): Expr {
  return { e: 'const', value }
}

/** A binary operation, computed at once where both sides are constant. */
export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  if (a.e === 'const' && b.e === 'const') return number(applyBinary(op, a.value, b.value))
  if (op === '&&') {
    if (a.e === 'const') return a.value === 0 ? number(0) : truth(b)
    if (b.e === 'const' && b.value !== 0) return truth(a)
  }
  if (op === '||') {
    if (a.e === 'const') return a.value !== 0 ? number(1) : truth(b)
    if (b.e === 'const' && b.value === 0) return truth(a)
  }
  if ((op === '+' || op === '-') && b.e === 'const' && b.value === 0) return a
  if (op === '+' && a.e === 'const' && a.value === 0) return b
  if (op === '*' && b.e === 'const' && b.value === 1) return a
  return { e: 'bin', op, a, b }
}

export function not(a: Expr): Expr {
  if (a.e === 'const') return number(a.value === 0 ? 1 : 0)
  if (a.e === 'not') return truth(a.a)
  return { e: 'not', a }
}

export function conditional(c: Expr, a: Expr, b: Expr): Expr {
  if (c.e === 'const') return c.value !== 0 ? a : b
  return { e: 'cond', c, a, b }
}

/** 0 or 1: every boolean of a model already is. */
function truth(a: Expr): Expr {
  return a
}
