/** Values as what the place, variable or comparison they meet needs them to be. */
import ts = require('typescript')

import type { Expr } from '../ir/program.ts'
import { type Context, position, refuse, scalar } from './context.ts'
import { objectPlace, read } from './memory.ts'
import { binary, conditional, number, type PlaceValue, type Value } from './value.ts'
import { type ScalarType, sameType, typeName, type ValueType } from './value-type.ts'

/** A value that was read: places of plain values become values, structures stay places. */
export function rvalue(context: Context, node: ts.Node, value: Value): Value {
  return value.v === 'place' ? read(context, node, value) : value
}

/** The structure a value stands for: an object, a structure inside one, or what a reference points to (checked against null). */
export function structure(context: Context, node: ts.Expression, value: Value): PlaceValue {
  const known = rvalue(context, node, value)
  if (known.v === 'place' && known.type.k === 'inside') return known
  if (known.v === 'null') return refuse(context, node, 'null has no fields', 'a test for null before')
  if (known.v !== 'scalar' || known.type.k !== 'ref') return refuse(context, node, `${node.getText()} is no structure`, 'a structure or a reference to one')
  const { expr, type } = known
  if (mayBeNull(context, node, expr, type)) {
    const where = context.stack[context.stack.length - 1].name
    const text = node.getText().replace(/\s+/g, ' ').replace(/!$/, '')
    const check = context.unit.check(
      'bug',
      `null:${text} in ${where}`,
      `NULL pointer dereference of ${text} in ${where}`,
      `${where}() follows ${text}, which is NULL.`,
      true,
    )
    if (!context.pure) context.graph.emit({ op: 'check', at: position(context, node), check, fails: binary('==', expr, number(0)) })
  }
  return objectPlace(type.struct, binary('-', expr, number(1)))
}

/** TypeScript's narrowing is trusted for variables, not for fields: another thread may have written them since. */
function mayBeNull(context: Context, node: ts.Expression, expr: Expr, type: Extract<ScalarType, { k: 'ref' }>): boolean {
  if (!type.nullable || expr.e === 'const') return false
  if (!ts.isIdentifier(node)) return true
  const narrowed = context.unit.sources.checker.getTypeAtLocation(node)
  return narrowed.isUnion() && narrowed.types.some((member) => (member.flags & ts.TypeFlags.Null) !== 0)
}

/** The value as one of the given type: strings become members, null becomes 0, objects become references. */
export function convert(context: Context, node: ts.Node, value: Value, type: ValueType): readonly Expr[] {
  const known = rvalue(context, node, value)
  if (type.k === 'word') {
    if (known.v === 'word' && known.parts.length === type.fields.length) return known.parts
    if (known.v === 'record') {
      return type.fields.map((field) => {
        const given = known.fields.get(field.name)
        return given
          ? convertScalar(context, given.node, rvalue(context, given.node, given.value), field.type)
          : refuse(context, node, `the word lacks ${field.name}`, `${field.name}: ...`)
      })
    }
    return refuse(context, node, `${node.getText()} is not a ${type.name}`, `{ ${type.fields.map((field) => `${field.name}: ...`).join(', ')} }`)
  }
  if (type.k === 'inside' || type.k === 'array') return refuse(context, node, `${typeName(type)} cannot be assigned`, 'assignments to its fields or elements')
  return [convertScalar(context, node, known, type)]
}

/** As `convert`, for a plain value. */
export function convertScalar(context: Context, node: ts.Node, value: Value, type: ScalarType): Expr {
  switch (value.v) {
    case 'literal': {
      const index = type.k === 'enum' ? type.members.indexOf(value.text) : -1
      if (index >= 0) return number(index)
      return refuse(context, node, `'${value.text}' is not a ${typeName(type)}`, typeName(type))
    }
    case 'null':
      if (type.k === 'ref' || type.k === 'thread') return number(0)
      return refuse(context, node, `null is not a ${typeName(type)}`, `a ${typeName(type)}`)
    case 'place':
      if (value.type.k === 'inside' && value.path.length === 0 && type.k === 'ref' && type.struct === value.struct) return binary('+', value.object, number(1))
      return refuse(context, node, `${node.getText()} cannot be kept as a reference`, 'a reference to an object declared with struct(...)')
    case 'scalar':
      if (sameType(value.type, type)) return value.expr
      if (value.type.k === 'enum' && type.k === 'enum') return renumber(context, node, value.expr, value.type.members, type)
      return refuse(context, node, `${node.getText()} is a ${typeName(value.type)}, not a ${typeName(type)}`, `a ${typeName(type)}`)
    default:
      return refuse(context, node, `${node.getText()} is not a ${typeName(type)}`, `a ${typeName(type)}`)
  }
}

function renumber(context: Context, node: ts.Node, expr: Expr, from: readonly string[], to: Extract<ScalarType, { k: 'enum' }>): Expr {
  const index = (member: string): number => {
    const at = to.members.indexOf(member)
    return at >= 0 ? at : refuse(context, node, `'${member}' is not a ${typeName(to)}`, 'the same union of strings on both sides')
  }
  if (expr.e === 'const') return number(index(from[expr.value]))
  return from
    .map((member, i) => [i, index(member)] as const)
    .reduceRight<Expr>((rest, [i, j]) => conditional(binary('==', expr, number(i)), number(j), rest), number(0))
}

/** The type under which two operands of a comparison meet. */
export function commonType(context: Context, node: ts.Node, a: Value, b: Value): ScalarType {
  const own = (value: Value): ScalarType | undefined => {
    if (value.v === 'scalar') return value.type
    if (value.v === 'place' && value.type.k === 'inside') return { k: 'ref', struct: value.struct, nullable: true }
    return undefined
  }
  return (
    own(a) ??
    own(b) ??
    (a.v === 'literal' && b.v === 'literal'
      ? { k: 'enum', members: [...new Set([a.text, b.text])] }
      : a.v === 'null' && b.v === 'null'
        ? { k: 'thread', nullable: true }
        : refuse(context, node, `${node.getText()} cannot be compared`, 'a comparison of plain values; same(a, b) for words'))
  )
}

/** A condition: a boolean, as 0 or 1. */
/** A condition, as a constant where its value is known by now. */
export function decided(context: Context, cond: Expr): Expr {
  const value = cond.e === 'const' ? undefined : context.graph.decide(cond)
  return value === undefined ? cond : number(value)
}

export function condition(context: Context, node: ts.Node, value: Value): Expr {
  const known = rvalue(context, node, value)
  if (known.v === 'scalar' && known.type.k === 'bool') return known.expr
  if (known.v === 'scalar' && known.type.k === 'ref') return binary('!=', known.expr, number(0))
  if (known.v === 'null') return number(0)
  return refuse(
    context,
    node,
    `${node.getText()} is not a boolean`,
    known.v === 'scalar' && known.type.k === 'int' ? `${node.getText()} !== 0` : 'a comparison',
  )
}

/** An integer with its range. */
export function integer(
  context: Context,
  node: ts.Node,
  value: Value,
): { readonly expr: Expr; readonly lo: number; readonly hi: number; readonly bias?: number } {
  const known = rvalue(context, node, value)
  if (known.v === 'scalar' && known.type.k === 'int') return { expr: known.expr, lo: known.type.lo, hi: known.type.hi, bias: known.type.bias }
  return refuse(context, node, `${node.getText()} is not an integer`, 'an integer')
}

/** A value kept as it is now, whatever is assigned to variables later. */
export function freeze(context: Context, node: ts.Node, value: Value): Value {
  if (value.v !== 'scalar' || context.pure || !readsVariable(context, value.expr)) return value
  const local = context.graph.newLocal('value', value.type)
  context.graph.emit({ op: 'assign', at: position(context, node), dst: local, value: value.expr })
  return scalar({ e: 'local', local }, value.type)
}

function readsVariable(context: Context, expr: Expr): boolean {
  switch (expr.e) {
    case 'local':
      return context.graph.locals[expr.local].mutable
    case 'bin':
      return readsVariable(context, expr.a) || readsVariable(context, expr.b)
    case 'not':
    case 'neg':
      return readsVariable(context, expr.a)
    case 'cond':
      return readsVariable(context, expr.c) || readsVariable(context, expr.a) || readsVariable(context, expr.b)
    default:
      return false
  }
}
