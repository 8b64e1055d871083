/** Expressions: what they read becomes steps in the order in which JavaScript, and C, would read it. */
import ts = require('typescript')

import type { BinaryOp, Expr } from '../ir/program.ts'
import { call } from './call.ts'
import { type Context, lookup, position, Refused, refuse, scalar } from './context.ts'
import { commonType, condition, convertScalar, decided, integer, rvalue, structure } from './convert.ts'
import { declared } from './declared.ts'
import { elementPlace, fieldPlace, objectPlace, read } from './memory.ts'
import { binary, conditional, not, number, type Value } from './value.ts'
import { BOOL, int, type ScalarType, type ValueType } from './value-type.ts'

/** The value of an expression, read if it is a field. */
export function expression(context: Context, node: ts.Expression): Value {
  return rvalue(context, node, place(context, node))
}

/** As `expression`, but a field is left unread: it may be written or passed on. */
export function place(context: Context, node: ts.Expression): Value {
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node))
    return place(context, node.expression)
  if (ts.isNumericLiteral(node)) return integerConstant(Number(node.text))
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return { v: 'literal', text: node.text }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return scalar(number(1), BOOL)
  if (node.kind === ts.SyntaxKind.FalseKeyword) return scalar(number(0), BOOL)
  if (node.kind === ts.SyntaxKind.NullKeyword) return { v: 'null' }
  if (ts.isIdentifier(node)) return identifier(context, node)
  if (ts.isPropertyAccessExpression(node)) return property(context, node)
  if (ts.isElementAccessExpression(node)) return element(context, node)
  if (ts.isPrefixUnaryExpression(node)) return unary(context, node)
  if (ts.isBinaryExpression(node)) return binaryExpression(context, node)
  if (ts.isConditionalExpression(node))
    return choice(context, node, condition(context, node.condition, expression(context, node.condition)), node.whenTrue, node.whenFalse)
  if (ts.isCallExpression(node)) return call(context, node)
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return { v: 'function', body: node, scope: context.scope }
  if (ts.isObjectLiteralExpression(node)) return record(context, node)
  if (ts.isPostfixUnaryExpression(node)) return refuse(context, node, `${node.getText()} inside an expression`, 'an assignment as a statement of its own')
  if (ts.isAwaitExpression(node) || ts.isYieldExpression(node)) return refuse(context, node, 'a model does not wait this way', 'block_until(() => ...)')
  if (ts.isNewExpression(node))
    return refuse(context, node, 'a model allocates nothing', 'an object of the scenario: const x = struct(X), and a free list if it is allocated')
  return refuse(context, node, `${ts.SyntaxKind[node.kind]} is not part of the modelling language`, 'arithmetic, comparisons, fields and calls of functions')
}

function integerConstant(value: number): Value {
  return scalar(number(value), int(value, value))
}

function identifier(context: Context, node: ts.Identifier): Value {
  const symbol = context.unit.symbol(node)
  if (!symbol) return refuse(context, node, `${node.text} is not declared`, 'the name of something declared')
  const binding = lookup(context.scope, symbol)
  if (binding?.b === 'refused') throw new Refused()
  if (binding?.b === 'value') return binding.value
  if (binding?.b === 'variable') {
    const { type, locals } = binding
    if (type.k === 'word') return { v: 'word', type, parts: locals.map((local): Expr => ({ e: 'local', local })) }
    return scalar({ e: 'local', local: locals[0] }, type as ScalarType)
  }
  return declared(context, node, symbol)
}

function property(context: Context, node: ts.PropertyAccessExpression): Value {
  if (node.questionDotToken)
    return refuse(context, node, `${node.getText()} hides a test for null`, `if (${node.expression.getText()} !== null) before, and a dot`)
  const name = node.name.text
  const switchValue = switchRead(context, node)
  if (switchValue) return switchValue
  const base = place(context, node.expression)
  if (base.v === 'list' && name === 'length') return integerConstant(base.elements.length)
  if (base.v === 'record') return base.fields.get(name)?.value ?? refuse(context, node, `no ${name} here`, 'one of the fields given')
  if (base.v === 'place' && base.type.k === 'array') {
    if (name === 'length') return integerConstant(base.type.length)
    return elementPlace(context, node, base, number(0), name)
  }
  const known = rvalue(context, node.expression, base)
  if (known.v === 'word') {
    const index = known.type.fields.findIndex((field) => field.name === name)
    if (index < 0) return refuse(context, node.name, `${known.type.name} has no ${name}`, known.type.fields.map((field) => field.name).join(', '))
    return scalar(known.parts[index], known.type.fields[index].type)
  }
  return fieldPlace(context, node, structure(context, node.expression, known), name)
}

/** `change.name`: the switch's value in the kernel being compiled. */
function switchRead(context: Context, node: ts.PropertyAccessExpression): Value | undefined {
  const value = context.unit.switchValue(node)
  if (value === undefined) return undefined
  context.unit.switchesRead.add(node.name.text)
  const inputs = context.unit.inputField(node)
  if (inputs) return read(context, node, fieldPlace(context, node, objectPlace(inputs, number(0)), node.name.text))
  return scalar(number(value ? 1 : 0), BOOL)
}

function element(context: Context, node: ts.ElementAccessExpression): Value {
  const base = place(context, node.expression)
  if (base.v === 'list') {
    const index = integer(context, node.argumentExpression, expression(context, node.argumentExpression))
    if (index.expr.e !== 'const') return dynamicObject(context, node, base.elements, index)
    return base.elements[index.expr.value] ?? refuse(context, node, `there is no element ${index.expr.value}`, `0 to ${base.elements.length - 1}`)
  }
  if (base.v !== 'place' || base.type.k !== 'array')
    return refuse(context, node, `${node.expression.getText()} is no array`, 'a FixedArray, PerThread or Each field')
  const { by, length } = base.type
  const index = expression(context, node.argumentExpression)
  if (by === 'thread' && index.v === 'scalar' && index.type.k === 'int') {
    checkIndex(context, node, { expr: index.expr, lo: index.type.lo, hi: index.type.hi }, length)
    return elementPlace(context, node, base, index.expr)
  }
  if (by === 'thread') {
    const value = convertScalar(context, node.argumentExpression, index, { k: 'thread', nullable: false })
    return elementPlace(context, node, base, binary('-', value, number(1)))
  }
  if (by !== 'index') {
    const member = convertScalar(context, node.argumentExpression, index, { k: 'enum', members: by.members })
    if (member.e !== 'const')
      return refuse(context, node, 'the member must be known when the model is compiled', 'a parameter that every caller gives as a constant')
    return elementPlace(context, node, base, number(0), by.members[member.value])
  }
  const { expr, lo, hi } = integer(context, node.argumentExpression, index)
  if (hi < 0 || lo >= length) return refuse(context, node, `the index is ${lo} to ${hi}, the array has ${length} elements`, `an index from 0 to ${length - 1}`)
  checkIndex(context, node, { expr, lo, hi }, length)
  return elementPlace(context, node, base, expr)
}

/** One of several objects declared together, by a variable index. */
function dynamicObject(context: Context, node: ts.ElementAccessExpression, elements: readonly Value[], index: { expr: Expr; lo: number; hi: number }): Value {
  const [first] = elements
  if (first?.v !== 'place' || first.object.e !== 'const')
    return refuse(context, node, 'an array of variables needs a constant index', 'a for loop with constant bounds')
  checkIndex(context, node, index, elements.length)
  return objectPlace(first.struct, binary('+', index.expr, first.object))
}

function checkIndex(context: Context, node: ts.ElementAccessExpression, { expr, lo, hi }: { expr: Expr; lo: number; hi: number }, length: number): void {
  if (lo >= 0 && hi < length) return
  const where = context.stack[context.stack.length - 1]?.name ?? ''
  const check = context.unit.check(
    'range',
    `index:${node.getText()} in ${where}`,
    `index out of range: ${node.getText()} in ${where}`,
    `${where}() indexes ${node.expression.getText()} beyond its ${length} elements.`,
    true,
  )
  if (!context.pure)
    context.graph.emit({
      op: 'check',
      at: position(context, node),
      check,
      fails: binary('||', binary('<', expr, number(0)), binary('>=', expr, number(length))),
    })
}

function unary(context: Context, node: ts.PrefixUnaryExpression): Value {
  if (node.operator === ts.SyntaxKind.ExclamationToken) return scalar(not(condition(context, node.operand, expression(context, node.operand))), BOOL)
  if (node.operator === ts.SyntaxKind.MinusToken) {
    const { expr, lo, hi } = integer(context, node.operand, expression(context, node.operand))
    return scalar(expr.e === 'const' ? number(-expr.value) : { e: 'neg', a: expr }, int(-hi, -lo))
  }
  return refuse(context, node, `the operator of ${node.getText()} is not part of the modelling language`, '! or -')
}

const ARITHMETIC: Partial<Record<ts.SyntaxKind, BinaryOp>> = {
  [ts.SyntaxKind.PlusToken]: '+',
  [ts.SyntaxKind.MinusToken]: '-',
  [ts.SyntaxKind.AsteriskToken]: '*',
  [ts.SyntaxKind.SlashToken]: '/',
  [ts.SyntaxKind.PercentToken]: '%',
  [ts.SyntaxKind.AmpersandToken]: '&',
  [ts.SyntaxKind.BarToken]: '|',
  [ts.SyntaxKind.CaretToken]: '^',
  [ts.SyntaxKind.LessThanLessThanToken]: '<<',
  [ts.SyntaxKind.GreaterThanGreaterThanToken]: '>>',
}
const ORDER: Partial<Record<ts.SyntaxKind, BinaryOp>> = {
  [ts.SyntaxKind.LessThanToken]: '<',
  [ts.SyntaxKind.LessThanEqualsToken]: '<=',
  [ts.SyntaxKind.GreaterThanToken]: '>',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>=',
}

function binaryExpression(context: Context, node: ts.BinaryExpression): Value {
  const kind = node.operatorToken.kind
  if (kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken)
    return logic(context, node, kind === ts.SyntaxKind.AmpersandAmpersandToken)
  if (kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken) {
    const a = expression(context, node.left)
    const b = expression(context, node.right)
    if (a.v === 'word' || b.v === 'word')
      return refuse(context, node, 'words are not compared with ===', `same(${node.left.getText()}, ${node.right.getText()})`)
    const type = commonType(context, node, a, b)
    const op: BinaryOp = kind === ts.SyntaxKind.EqualsEqualsEqualsToken ? '==' : '!='
    return scalar(binary(op, convertScalar(context, node.left, a, type), convertScalar(context, node.right, b, type)), BOOL)
  }
  const order = ORDER[kind]
  const arithmetic = ARITHMETIC[kind]
  if (!order && !arithmetic) {
    if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment)
      return refuse(context, node, 'an assignment inside an expression', 'the assignment as a statement of its own')
    return refuse(
      context,
      node,
      `the operator ${node.operatorToken.getText()} is not part of the modelling language`,
      kind === ts.SyntaxKind.EqualsEqualsToken ? '===' : '+ - * / % & | ^ << >>, comparisons, && and ||',
    )
  }
  const a = integer(context, node.left, expression(context, node.left))
  const b = integer(context, node.right, expression(context, node.right))
  if (order) return scalar(binary(order, a.expr, b.expr), BOOL)
  return scalar(binary(arithmetic as BinaryOp, a.expr, b.expr), resultType(arithmetic as BinaryOp, a, b))
}

/** Range of an arithmetic result; wide where it is not worth being precise. */
export function resultType(op: BinaryOp, a: { lo: number; hi: number; bias?: number }, b: { lo: number; hi: number }): ScalarType {
  const of = (...values: number[]): ScalarType => ({ k: 'int', lo: Math.min(...values), hi: Math.max(...values), bias: a.bias })
  switch (op) {
    case '+':
      return of(a.lo + b.lo, a.hi + b.hi)
    case '-':
      return of(a.lo - b.hi, a.hi - b.lo)
    case '*':
      return of(a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi)
    case '<<':
      return of(0, a.lo, a.hi * 2 ** Math.max(0, b.hi))
    case '>>':
    case '/':
      return of(0, a.lo, a.hi)
    case '%':
      return of(0, a.lo < 0 ? -Math.abs(b.hi) + 1 : 0, Math.max(0, Math.min(a.hi, Math.max(Math.abs(b.lo), Math.abs(b.hi)) - 1)))
    default: {
      const top = 2 ** Math.ceil(Math.log2(Math.max(a.hi, b.hi, 0) + 1)) - 1
      return a.lo < 0 || b.lo < 0 ? int(-(2 ** 31), 2 ** 31 - 1) : of(0, top)
    }
  }
}

/** `&&` and `||`: the right side is evaluated only where it matters. */
function logic(context: Context, node: ts.BinaryExpression, and: boolean): Value {
  const left = decided(context, condition(context, node.left, expression(context, node.left)))
  if (left.e === 'const' && (left.value !== 0) !== and) return scalar(number(and ? 0 : 1), BOOL)
  const right = (): Expr => condition(context, node.right, expression(context, node.right))
  if (left.e === 'const') return scalar(right(), BOOL)
  if (context.pure || isLocal(context, node.right)) return scalar(binary(and ? '&&' : '||', left, right()), BOOL)
  const result = context.graph.newLocal(resultName(context), BOOL)
  const at = position(context, node)
  const evaluate = (): void => {
    const value = right()
    context.graph.emit({ op: 'assign', at, dst: result, value })
  }
  const skip = (): void => context.graph.emit({ op: 'assign', at, dst: result, value: number(and ? 0 : 1) })
  context.graph.branch(at, left, and ? evaluate : skip, and ? skip : evaluate)
  return scalar({ e: 'local', local: result }, BOOL)
}

function choice(context: Context, node: ts.ConditionalExpression, cond: Expr, whenTrue: ts.Expression, whenFalse: ts.Expression): Value {
  const known = decided(context, cond)
  if (known.e === 'const') return expression(context, known.value !== 0 ? whenTrue : whenFalse)
  const targetType = (a: Value, b: Value): ScalarType => {
    const type = commonType(context, node, a, b)
    return type.k === 'int' && a.v === 'scalar' && b.v === 'scalar' && a.type.k === 'int' && b.type.k === 'int'
      ? { ...type, lo: Math.min(a.type.lo, b.type.lo), hi: Math.max(a.type.hi, b.type.hi) }
      : type
  }
  if (context.pure || (isLocal(context, whenTrue) && isLocal(context, whenFalse))) {
    const a = expression(context, whenTrue)
    const b = expression(context, whenFalse)
    const type = targetType(a, b)
    return scalar(conditional(cond, convertScalar(context, whenTrue, a, type), convertScalar(context, whenFalse, b, type)), type)
  }
  const at = position(context, node)
  const result = context.graph.newLocal(resultName(context), BOOL)
  let type: ScalarType | undefined
  let isNull = false
  const side = (branch: ts.Expression) => (): void => {
    const value = expression(context, branch)
    if (value.v === 'null' && !type) {
      // Of what it is null, the other side tells.
      isNull = true
      context.graph.emit({ op: 'assign', at, dst: result, value: number(0) })
      return
    }
    type = type
      ? value.v === 'scalar' && value.type.k === 'int'
        ? targetType(scalar(number(0), type), value)
        : type
      : commonType(context, branch, value, value)
    context.graph.emit({ op: 'assign', at, dst: result, value: convertScalar(context, branch, value, type) })
  }
  context.graph.branch(at, cond, side(whenTrue), side(whenFalse))
  if (!type && isNull) return { v: 'null' }
  const own: ScalarType = type ?? BOOL
  const settled: ScalarType = isNull && (own.k === 'ref' || own.k === 'thread') ? { ...own, nullable: true } : own
  context.graph.locals[result].type = settled
  return scalar({ e: 'local', local: result }, settled)
}

function resultName(context: Context): string {
  return `${context.stack[context.stack.length - 1]?.name ?? ''}.value`
}

/** True if evaluating the expression touches no shared state and calls nothing. */
function isLocal(context: Context, node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return identifier(context, node).v !== 'place' || true
  if (
    ts.isNumericLiteral(node) ||
    ts.isStringLiteral(node) ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword ||
    node.kind === ts.SyntaxKind.NullKeyword
  )
    return true
  if (ts.isParenthesizedExpression(node) || ts.isPrefixUnaryExpression(node))
    return isLocal(context, ts.isParenthesizedExpression(node) ? node.expression : node.operand)
  if (ts.isBinaryExpression(node)) return isLocal(context, node.left) && isLocal(context, node.right)
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression))
    return switchRead(context, node) !== undefined || isWord(identifier(context, node.expression))
  return false
}

function isWord(value: Value): boolean {
  return value.v === 'word' || value.v === 'record'
}

function record(context: Context, node: ts.ObjectLiteralExpression): Value {
  const fields = new Map<string, { value: Value; node: ts.Node }>()
  for (const member of node.properties) {
    if (ts.isPropertyAssignment(member) && ts.isIdentifier(member.name))
      fields.set(member.name.text, { value: place(context, member.initializer), node: member.initializer })
    else if (ts.isShorthandPropertyAssignment(member)) fields.set(member.name.text, { value: identifier(context, member.name), node: member.name })
    else refuse(context, member, `${member.getText()} is not part of the modelling language`, 'name: value')
  }
  return { v: 'record', fields }
}

/** The type a variable of this value has, if it needs no annotation. */
export function inferredType(context: Context, node: ts.Node, value: Value): ValueType | undefined {
  if (value.v === 'scalar') return value.type.k === 'ref' ? { ...value.type, nullable: true } : value.type
  if (value.v === 'word') return value.type
  if (value.v === 'place' && value.type.k === 'inside' && value.path.length === 0) return { k: 'ref', struct: value.struct, nullable: true }
  return refuse(context, node, 'the type of this variable cannot be told from its value', 'a type: let x: Int<0, 3> = ...')
}
