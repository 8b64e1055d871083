/** Statements: control flow becomes edges of the graph. */
import ts = require('typescript')

import { applyBinary } from '../ir/evaluate.ts'
import type { BinaryOp, Expr } from '../ir/program.ts'
import { call, returnValue } from './call.ts'
import { type Context, childScope, noteLowered, position, Refused, refuse, scalar } from './context.ts'
import { condition, convert, convertScalar, decided, integer, rvalue } from './convert.ts'
import { expression, inferredType, place, resultType } from './expression.ts'
import { newLabel } from './graph-builder.ts'
import { write } from './memory.ts'
import { binary, number, type Value } from './value.ts'
import { int, isScalar, type ScalarType, typeName, type ValueType } from './value-type.ts'

/** A block: its names are its own. */
export function block(context: Context, node: ts.Block): void {
  statements({ ...context, scope: childScope(context.scope) }, node.statements)
}

/** Statements in order. A refused one is skipped, so that every mistake is found in one run. */
export function statements(context: Context, nodes: readonly ts.Statement[]): void {
  for (const node of nodes) {
    // Code after a return, or under a switch that is off, would be inlined for nothing.
    if (!context.pure && !context.graph.reachable) return
    try {
      statement(context, node)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (context.pure) throw error
    }
  }
}

function statement(context: Context, node: ts.Statement): void {
  noteLowered(context, node)
  if (ts.isBlock(node)) return block(context, node)
  if (ts.isVariableStatement(node)) return variables(context, node.declarationList)
  if (ts.isExpressionStatement(node)) return effect(context, node.expression)
  if (ts.isIfStatement(node)) return branch(context, node)
  if (ts.isReturnStatement(node)) return returnValue(context, node)
  if (ts.isWhileStatement(node)) return loop(context, node, node.expression, node.statement, false)
  if (ts.isDoStatement(node)) return loop(context, node, node.expression, node.statement, true)
  if (ts.isForStatement(node)) return forLoop(context, node)
  if (ts.isForOfStatement(node)) return forOf(context, node)
  if (ts.isSwitchStatement(node)) return switchStatement(context, node)
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) return jump(context, node)
  if (ts.isEmptyStatement(node)) return
  if (ts.isThrowStatement(node) || ts.isTryStatement(node))
    return refuse(context, node, 'a model has no exceptions', 'a result that says what failed, or BUG_ON')
  if (ts.isFunctionDeclaration(node)) return refuse(context, node, 'a function inside a function', 'a function of the module')
  return refuse(context, node, `${ts.SyntaxKind[node.kind]} is not part of the modelling language`, 'if, switch, loops, assignments and calls')
}

function variables(context: Context, list: ts.VariableDeclarationList): void {
  const constant = (list.flags & ts.NodeFlags.Const) !== 0
  for (const { name } of list.declarations) {
    const symbol = ts.isIdentifier(name) && context.unit.symbol(name)
    if (symbol) context.scope.names.set(symbol, { b: 'refused' })
  }
  if (!constant && (list.flags & ts.NodeFlags.Let) === 0) refuse(context, list, 'var is not part of the modelling language', 'let or const')
  for (const declaration of list.declarations) {
    const symbol = ts.isIdentifier(declaration.name) && context.unit.symbol(declaration.name)
    if (!symbol) return refuse(context, declaration.name, 'a variable is one name', 'one declaration a name')
    const value = declaration.initializer
      ? withProgress(context, declaration.initializer, () => expression(context, declaration.initializer as ts.Expression))
      : undefined
    const declared = declaration.type && context.unit.type(declaration.type)
    if (constant && value) {
      context.scope.names.set(symbol, { b: 'value', value: constantValue(context, declaration, value, declared) })
      continue
    }
    if (context.pure) return refuse(context, declaration, 'a condition has no variables', 'const')
    if (!declared && value?.v === 'scalar' && value.type.k === 'int')
      return refuse(context, declaration, `the range of ${symbol.name} is not known`, `let ${symbol.name}: Int<lo, hi> = ...`)
    const type = declared ?? (value && inferredType(context, declaration, value))
    if (!type) return refuse(context, declaration, `${symbol.name} needs a type or a value`, `let ${symbol.name}: Int<0, 3> = 0`)
    declareVariable(context, declaration, symbol, type, value)
  }
}

function constantValue(context: Context, node: ts.VariableDeclaration, value: Value, declared: ValueType | undefined): Value {
  if (declared?.k === 'word') return { v: 'word', type: declared, parts: convert(context, node, value, declared) }
  if (declared && isScalar(declared) && (value.v === 'literal' || value.v === 'null')) return scalar(convertScalar(context, node, value, declared), declared)
  if (value.v !== 'scalar' || context.pure) return value
  // The value now: variables it was made of may change.
  return value.expr.e === 'const' || value.expr.e === 'local' ? keep(context, node, value) : keep(context, node, value)
}

function keep(context: Context, node: ts.VariableDeclaration, value: Extract<Value, { v: 'scalar' }>): Value {
  if (value.expr.e === 'const' || (value.expr.e === 'local' && !context.graph.locals[value.expr.local].mutable)) return value
  const local = context.graph.newLocal(localName(context, node), value.type)
  context.graph.emit({ op: 'assign', at: position(context, node), dst: local, value: value.expr })
  return scalar({ e: 'local', local }, value.type)
}

function localName(context: Context, node: ts.VariableDeclaration): string {
  return `${context.stack[context.stack.length - 1]?.name ?? ''}.${node.name.getText()}`
}

function declareVariable(context: Context, node: ts.VariableDeclaration, symbol: ts.Symbol, type: ValueType, value: Value | undefined): void {
  const name = localName(context, node)
  if (type.k === 'array') return refuse(context, node, 'an array is a field', 'a FixedArray field of a structure')
  if (type.k === 'inside') return refuse(context, node, `a variable cannot hold ${typeName(type)}`, 'a reference')
  const fields: readonly { name: string; type: ScalarType }[] = type.k === 'word' ? type.fields : [{ name: '', type }]
  const locals = fields.map((field) => context.graph.newLocal(field.name === '' ? name : `${name}.${field.name}`, field.type, true))
  context.scope.names.set(symbol, { b: 'variable', locals, type, name: symbol.name })
  const parts = value ? convert(context, node, value, type) : fields.map((field) => number(Math.max(0, field.type.k === 'int' ? field.type.lo : 0)))
  assignLocals(context, node, locals, fields, parts, value)
}

function assignLocals(
  context: Context,
  node: ts.Node,
  locals: readonly number[],
  fields: readonly { type: ScalarType }[],
  parts: readonly Expr[],
  value: Value | undefined,
): void {
  if (fields.length === 1) checkRange(context, node, fields[0].type, value, symbolName(node))
  // Two-step assignment only where a part could read a local written before it.
  locals.forEach((local, i) => {
    context.graph.emit({ op: 'assign', at: position(context, node), dst: local, value: parts[i] })
  })
}

function symbolName(node: ts.Node): string {
  return ts.isVariableDeclaration(node) ? node.name.getText() : ts.isBinaryExpression(node) ? node.left.getText() : node.getText()
}

/** Emits a check where a value may leave its type's range. */
function checkRange(context: Context, node: ts.Node, type: ScalarType, value: Value | undefined, name: string): void {
  if (type.k !== 'int' || value?.v !== 'scalar' || value.type.k !== 'int') return
  const { lo, hi } = value.type
  if (lo >= type.lo && hi <= type.hi) return
  const where = context.stack[context.stack.length - 1]?.name ?? ''
  const check = context.unit.check(
    'range',
    `range:${name} in ${where}`,
    `${name} leaves ${typeName(type)} in ${where}`,
    `${where}() takes ${name} out of its range, ${type.lo} to ${type.hi}.`,
    true,
  )
  const below: Expr = lo < type.lo ? binary('<', value.expr, number(type.lo)) : number(0)
  const above: Expr = hi > type.hi ? binary('>', value.expr, number(type.hi)) : number(0)
  context.graph.emit({ op: 'check', at: position(context, node), check, fails: binary('||', below, above) })
}

/** An expression that stands as a statement. */
function effect(context: Context, node: ts.Expression): void {
  if (ts.isParenthesizedExpression(node)) return effect(context, node.expression)
  if (ts.isBinaryExpression(node) && node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment && node.operatorToken.kind <= ts.SyntaxKind.LastAssignment)
    return assignment(context, node)
  if (
    ts.isPostfixUnaryExpression(node) ||
    (ts.isPrefixUnaryExpression(node) && (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken))
  ) {
    return update(context, node, node.operand, node.operator === ts.SyntaxKind.PlusPlusToken ? '+' : '-', scalar(number(1), int(1, 1)), node)
  }
  if (ts.isCallExpression(node)) {
    withProgress(context, node, () => call(context, node))
    return
  }
  expression(context, node)
}

/** A call in a thread's own body is a top-level operation: its return is progress. */
function withProgress<T>(context: Context, node: ts.Expression, body: () => T): T {
  const result = body()
  if (context.stack.length === 1 && ts.isCallExpression(node) && !context.pure && !context.inStep && !context.ghost) {
    const unused = context.graph.newLocal('progress', int(0, 0))
    context.graph.emit({ op: 'assign', at: position(context, node), dst: unused, value: number(0), progress: true })
  }
  return result
}

const COMPOUND: Partial<Record<ts.SyntaxKind, BinaryOp>> = {
  [ts.SyntaxKind.PlusEqualsToken]: '+',
  [ts.SyntaxKind.MinusEqualsToken]: '-',
  [ts.SyntaxKind.AsteriskEqualsToken]: '*',
  [ts.SyntaxKind.AmpersandEqualsToken]: '&',
  [ts.SyntaxKind.BarEqualsToken]: '|',
  [ts.SyntaxKind.CaretEqualsToken]: '^',
}

function assignment(context: Context, node: ts.BinaryExpression): void {
  if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken) {
    const op = COMPOUND[node.operatorToken.kind]
    if (!op) return refuse(context, node, `${node.operatorToken.getText()} is not part of the modelling language`, '=, += or -=')
    return update(context, node, node.left, op, undefined, node.right)
  }
  // C evaluates the place's own reads (a.b in a.b.c = x) before the value here; each is a step either way.
  const variable = variableOf(context, node.left)
  if (variable) {
    const value = expression(context, node.right)
    assignLocals(
      context,
      node,
      variable.locals,
      variable.type.k === 'word' ? variable.type.fields : [{ type: variable.type as ScalarType }],
      convert(context, node.right, value, variable.type),
      value,
    )
    return
  }
  const target = place(context, node.left)
  if (target.v !== 'place' || (target.type.k === 'inside' && target.path.length === 0))
    return refuse(context, node.left, `${node.left.getText()} cannot be assigned`, 'a field or a variable declared with let')
  const value = expression(context, node.right)
  const parts = convert(context, node.right, value, target.type)
  if (isScalar(target.type)) checkRange(context, node, target.type, value, node.left.getText())
  write(context, node, target, parts)
}

/** `place op= value`: a read and a write, two steps. */
function update(context: Context, node: ts.Node, left: ts.Expression, op: BinaryOp, constantValue: Value | undefined, right: ts.Expression): void {
  const variable = variableOf(context, left)
  const target = variable ? undefined : place(context, left)
  const old = variable ? scalar({ e: 'local', local: variable.locals[0] }, variable.type as ScalarType) : rvalue(context, left, target as Value)
  const a = integer(context, left, old)
  const b = integer(context, right, constantValue ?? expression(context, right))
  const value = scalar(binary(op, a.expr, b.expr), resultType(op, a, b))
  if (variable)
    return assignLocals(context, node, variable.locals, [{ type: variable.type as ScalarType }], [(value as Extract<Value, { v: 'scalar' }>).expr], value)
  if (target?.v !== 'place' || !isScalar(target.type))
    return refuse(context, left, `${left.getText()} cannot be assigned`, 'a field or a variable declared with let')
  checkRange(context, node, target.type, value, left.getText())
  write(context, node, target, [(value as Extract<Value, { v: 'scalar' }>).expr])
}

function variableOf(context: Context, node: ts.Expression): { locals: readonly number[]; type: ValueType } | undefined {
  if (!ts.isIdentifier(node)) return undefined
  const symbol = context.unit.symbol(node)
  for (let scope: Context['scope'] | undefined = context.scope; scope && symbol; scope = scope.parent) {
    const binding = scope.names.get(symbol)
    if (binding?.b === 'refused') throw new Refused()
    if (binding?.b === 'variable') return binding
  }
  return undefined
}

function branch(context: Context, node: ts.IfStatement): void {
  const cond = decided(context, condition(context, node.expression, expression(context, node.expression)))
  const otherwise = (): void => {
    if (node.elseStatement) statements({ ...context, scope: childScope(context.scope) }, [node.elseStatement])
  }
  const then = (): void => statements({ ...context, scope: childScope(context.scope) }, [node.thenStatement])
  if (cond.e === 'const') return cond.value !== 0 ? then() : otherwise()
  context.graph.branch(position(context, node), cond, then, otherwise)
}

function loop(context: Context, node: ts.Statement, test: ts.Expression, body: ts.Statement, testLast: boolean): void {
  const top = newLabel()
  const continueTo = testLast ? newLabel() : top
  const breakTo = newLabel()
  const inner: Context = { ...context, loops: [...context.loops, { breakTo, continueTo }] }
  const { graph } = context
  const again = (): void => {
    const cond = decided(context, condition(context, test, expression(context, test)))
    if (cond.e === 'const') return cond.value !== 0 ? (testLast ? graph.jump(top) : undefined) : graph.jump(breakTo)
    graph.branch(
      position(context, node),
      cond,
      () => (testLast ? graph.jump(top) : undefined),
      () => graph.jump(breakTo),
    )
  }
  graph.repeat(top, () => {
    if (!testLast) again()
    statements({ ...inner, scope: childScope(context.scope) }, [body])
    if (testLast) {
      graph.bind(continueTo)
      again()
    } else graph.jump(top)
  })
  graph.bind(breakTo)
}

/** Loops over a constant range are unrolled, so that the index is a constant in each round. */
function forLoop(context: Context, node: ts.ForStatement): void {
  const range = constantRange(context, node)
  if (range) {
    const breakTo = newLabel()
    for (const i of range.values) {
      const continueTo = newLabel()
      const scope = childScope(context.scope)
      scope.names.set(range.symbol, { b: 'value', value: scalar(number(i), int(i, i)) })
      statements({ ...context, scope, loops: [...context.loops, { breakTo, continueTo }] }, [node.statement])
      context.graph.bind(continueTo)
    }
    context.graph.bind(breakTo)
    return
  }
  const scope = childScope(context.scope)
  const inner: Context = { ...context, scope }
  if (node.initializer) {
    if (ts.isVariableDeclarationList(node.initializer)) variables(inner, node.initializer)
    else effect(inner, node.initializer)
  }
  const top = newLabel()
  const breakTo = newLabel()
  const continueTo = newLabel()
  context.graph.repeat(top, () => {
    if (node.condition) {
      const cond = decided(inner, condition(inner, node.condition, expression(inner, node.condition)))
      if (cond.e !== 'const')
        context.graph.branch(
          position(inner, node),
          cond,
          () => {},
          () => context.graph.jump(breakTo),
        )
      else if (cond.value === 0) return
    }
    statements({ ...inner, loops: [...context.loops, { breakTo, continueTo }] }, [node.statement])
    context.graph.bind(continueTo)
    if (node.incrementor) effect(inner, node.incrementor)
    context.graph.jump(top)
  })
  context.graph.bind(breakTo)
}

const UNROLL_LIMIT = 16

function constantRange(context: Context, node: ts.ForStatement): { symbol: ts.Symbol; values: number[] } | undefined {
  const { initializer, condition: test, incrementor } = node
  if (!initializer || !ts.isVariableDeclarationList(initializer) || initializer.declarations.length !== 1 || !test || !incrementor) return undefined
  const [declaration] = initializer.declarations
  const symbol = context.unit.symbol(declaration.name)
  if (!symbol || declaration.type || !declaration.initializer || !ts.isNumericLiteral(declaration.initializer)) return undefined
  if (!ts.isBinaryExpression(test) || !ts.isIdentifier(test.left) || test.left.text !== symbol.name) return undefined
  if (!ts.isPostfixUnaryExpression(incrementor) || incrementor.operator !== ts.SyntaxKind.PlusPlusToken) return undefined
  const bound = expression({ ...context, pure: true }, test.right)
  if (bound.v !== 'scalar' || bound.expr.e !== 'const') return undefined
  const op = test.operatorToken.kind === ts.SyntaxKind.LessThanToken ? '<' : test.operatorToken.kind === ts.SyntaxKind.LessThanEqualsToken ? '<=' : undefined
  if (!op) return undefined
  const values: number[] = []
  for (let i = Number(declaration.initializer.text); applyBinary(op, i, bound.expr.value) !== 0; i++) {
    values.push(i)
    if (values.length > UNROLL_LIMIT) return refuse(context, node, `this loop runs more than ${UNROLL_LIMIT} times`, 'a smaller bound')
  }
  return { symbol, values }
}

function forOf(context: Context, node: ts.ForOfStatement): void {
  const list = ts.isVariableDeclarationList(node.initializer) && node.initializer.declarations[0]
  const symbol = list && context.unit.symbol(list.name)
  const values = place(context, node.expression)
  if (!symbol || values.v !== 'list') return refuse(context, node, 'for ... of goes over declared objects only', 'for (let i = 0; i < n; i++)')
  const breakTo = newLabel()
  for (const value of values.elements) {
    const continueTo = newLabel()
    const scope = childScope(context.scope)
    scope.names.set(symbol, { b: 'value', value })
    statements({ ...context, scope, loops: [...context.loops, { breakTo, continueTo }] }, [node.statement])
    context.graph.bind(continueTo)
  }
  context.graph.bind(breakTo)
}

function switchStatement(context: Context, node: ts.SwitchStatement): void {
  const subject = expression(context, node.expression)
  if (subject.v !== 'scalar') return refuse(context, node.expression, 'switch needs a plain value', 'an enumeration or an integer')
  const breakTo = newLabel()
  const inner: Context = { ...context, scope: childScope(context.scope), loops: [...context.loops, { breakTo }] }
  const { clauses } = node.caseBlock
  const groups: { tests: ts.Expression[]; isDefault: boolean; body: readonly ts.Statement[] }[] = []
  let tests: ts.Expression[] = []
  let isDefault = false
  for (const clause of clauses) {
    if (ts.isCaseClause(clause)) tests.push(clause.expression)
    else isDefault = true
    if (clause.statements.length === 0) continue
    groups.push({ tests, isDefault, body: clause.statements })
    tests = []
    isDefault = false
  }
  const matches = (group: (typeof groups)[number]): Expr =>
    group.tests
      .map((test) => binary('==', subject.expr, convertScalar(context, test, expression(context, test), subject.type)))
      .reduce<Expr>((any, one) => binary('||', any, one), number(0))
  const go = (rest: typeof groups): void => {
    const [group, ...others] = rest
    const fallback = groups.find((each) => each.isDefault)
    if (!group) {
      if (fallback) statements(inner, fallback.body)
      return
    }
    const cond = decided(context, matches(group))
    if (cond.e === 'const') return cond.value !== 0 ? statements(inner, group.body) : go(others)
    context.graph.branch(
      position(context, node),
      cond,
      () => statements(inner, group.body),
      () => go(others),
    )
  }
  go(groups.filter((group) => group.tests.length > 0))
  context.graph.bind(breakTo)
}

function jump(context: Context, node: ts.BreakStatement | ts.ContinueStatement): void {
  if (node.label) return refuse(context, node, 'labels are not part of the modelling language', 'a function with return')
  for (let i = context.loops.length - 1; i >= 0; i--) {
    const target = ts.isBreakStatement(node) ? context.loops[i].breakTo : context.loops[i].continueTo
    if (target) return context.graph.jump(target)
  }
}
