/** Calls: modelled functions are inlined, words of `putpage/model` have a meaning of their own. */
import ts = require('typescript')

import { type Binding, type Context, childScope, noteLowered, position, type Return, refuse, type Scope, scalar } from './context.ts'
import { condition, convert, convertScalar, freeze, rvalue } from './convert.ts'
import { expression, place } from './expression.ts'
import { newLabel } from './graph-builder.ts'
import { intrinsic } from './intrinsic.ts'
import { block, statements } from './statement.ts'
import { conditional, type Value, VOID } from './value.ts'
import { isScalar, type ScalarType, type ValueType } from './value-type.ts'

export function call(context: Context, node: ts.CallExpression): Value {
  if (!ts.isIdentifier(node.expression))
    return refuse(context, node.expression, 'only functions are called, not methods', 'a function that takes the structure as its argument')
  const symbol = context.unit.symbol(node.expression)
  if (symbol && context.unit.isModelWord(symbol)) return intrinsic(context, node, symbol.name)
  const callee = place(context, node.expression)
  if (callee.v !== 'function') return refuse(context, node.expression, `${node.expression.text} is not a function`, 'a function')
  return inline(context, node, callee, node.expression.text, [...node.arguments])
}

/** Runs a function's body in place of the call. Gives its value. */
export function inline(context: Context, node: ts.Node, callee: Extract<Value, { v: 'function' }>, name: string, args: readonly ts.Expression[]): Value {
  const { body } = callee
  if (context.functions.includes(body)) return refuse(context, node, `${name} calls itself`, 'a loop')
  if (body.asteriskToken || body.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.AsyncKeyword))
    return refuse(context, body.name ?? node, `${name} is asynchronous`, 'an ordinary function')
  const called = context.unit.free?.call(context, node, body, args)
  if (called) return called
  const scope = childScope(callee.scope)
  body.parameters.forEach((parameter, i) => {
    bindParameter(context, node, scope, parameter, args[i] ?? parameter.initializer)
  })
  const isLambda = ts.isArrowFunction(body) || ts.isFunctionExpression(body)
  const { line } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart())
  const frame = { name, file: context.unit.sources.displayPath(body.getSourceFile()), calledAt: line + 1 }
  // A lambda handed to a primitive is part of the function that wrote it: it gets no frame of its own.
  const stack = isLambda && callee.scope ? context.stack : [...context.stack, frame]
  const primitive = context.primitive ?? (ts.getJSDocTags(body).some((tag) => tag.tagName.text === 'primitive') ? position(context, node) : undefined)
  const inner: Context = { ...context, stack, functions: [...context.functions, body], scope, loops: [], ...(primitive ? { primitive } : {}) }
  return runBody(inner, node, body)
}

/** Evaluates a body: an expression, or a block with returns. */
export function runBody(context: Context, node: ts.Node, body: ts.FunctionLikeDeclaration): Value {
  const code = body.body
  if (!code) return refuse(context, node, 'this function has no body', 'a function with a body')
  if (!ts.isBlock(code)) return rvalue(context, code as ts.Expression, place(context, code as ts.Expression))
  if (context.pure) return pureBlock(context, code)
  const returned = returnsIn(code)
  const onlyOne = returned.length === 0 || (returned.length === 1 && code.statements[code.statements.length - 1] === returned[0])
  const declaredType =
    body.type && body.type.kind !== ts.SyntaxKind.VoidKeyword && body.type.kind !== ts.SyntaxKind.NumberKeyword ? context.unit.type(body.type) : undefined
  const returns: Return = { label: newLabel(), onlyOne, declared: declaredType }
  block({ ...context, returns }, code)
  context.graph.bind(returns.label)
  if (returns.single) return returns.single
  if (!returns.result) return VOID
  const { locals, type } = returns.result
  if (type.k === 'word') return { v: 'word', type, parts: locals.map((local) => ({ e: 'local', local })) }
  return scalar({ e: 'local', local: locals[0] }, context.graph.locals[locals[0]].type)
}

/** Records the value of a `return`. */
export function returnValue(context: Context, node: ts.ReturnStatement): void {
  const { returns } = context
  if (!returns) return refuse(context, node, 'a return outside of a function', '')
  if (node.expression) {
    const value = expression(context, node.expression)
    if (value.v === 'void') {
      context.graph.jump(returns.label)
      return
    }
    if (returns.onlyOne || context.graph.executing) {
      returns.single = declaredValue(context, node.expression, value, returns)
      context.graph.jump(returns.label)
      return
    }
    if (!returns.result) returns.result = resultLocals(context, node, value, returns.declared)
    const { locals, type } = returns.result
    const parts = convert(context, node.expression, value, type)
    for (const [i, local] of locals.entries()) {
      widen(context, local, value)
      context.graph.emit({ op: 'assign', at: position(context, node), dst: local, value: parts[i] })
    }
  }
  context.graph.jump(returns.label)
}

/** A single result. Of what is executed only one return is seen: if that is null, only the declaration tells of what. */
function declaredValue(context: Context, node: ts.Expression, value: Value, { onlyOne, declared }: Return): Value {
  if (!onlyOne && declared && isScalar(declared) && declared.k !== 'int') return scalar(convertScalar(context, node, value, declared), declared)
  return declaredWord(context, node, value, declared)
}

function declaredWord(context: Context, node: ts.Expression, value: Value, declared: ValueType | undefined): Value {
  if (declared?.k === 'word' && value.v === 'record') return { v: 'word', type: declared, parts: convert(context, node, value, declared) }
  if (declared?.k === 'enum' && value.v === 'literal') return scalar(convertScalar(context, node, value, declared), declared)
  return value
}

function resultLocals(context: Context, node: ts.Node, value: Value, declared: ValueType | undefined): { locals: readonly number[]; type: ValueType } {
  const name = `${context.stack[context.stack.length - 1]?.name ?? ''}.result`
  const own: ValueType | undefined =
    value.v === 'scalar'
      ? value.type
      : value.v === 'word'
        ? value.type
        : value.v === 'place' && value.type.k === 'inside'
          ? { k: 'ref', struct: value.struct, nullable: true }
          : undefined
  const type = declared && declared.k !== 'int' ? declared : own
  if (!type) return refuse(context, node, 'the type of this result is not known', 'a return type: function f(): Page | null')
  if (type.k === 'word') return { locals: type.fields.map((field) => context.graph.newLocal(`${name}.${field.name}`, field.type, true)), type }
  if (!isScalar(type)) return refuse(context, node, 'a function returns plain values, words and references', 'a reference')
  return { locals: [context.graph.newLocal(name, type, true)], type }
}

/** A result's range grows to hold every value returned. */
function widen(context: Context, local: number, value: Value): void {
  const draft = context.graph.locals[local]
  if (value.v !== 'scalar' || value.type.k !== 'int' || draft.type.k !== 'int') return
  draft.type = { ...draft.type, lo: Math.min(draft.type.lo, value.type.lo), hi: Math.max(draft.type.hi, value.type.hi) }
}

function bindParameter(context: Context, node: ts.Node, scope: Scope, parameter: ts.ParameterDeclaration, argument: ts.Expression | undefined): void {
  if (!ts.isIdentifier(parameter.name)) return refuse(context, parameter, 'a parameter is a name', 'one name a parameter')
  const symbol = context.unit.symbol(parameter.name)
  if (!symbol) return
  if (!argument) {
    if (parameter.questionToken) return
    return refuse(context, node, `${parameter.name.text} is missing`, 'an argument for each parameter')
  }
  const given = rvalue(context, argument, place(context, argument))
  const declaredType =
    given.v === 'literal' || given.v === 'null' || given.v === 'record' || isAssigned(parameter)
      ? parameter.type && context.unit.type(parameter.type)
      : undefined
  let binding: Binding
  if (isAssigned(parameter)) {
    if (!declaredType || !isScalar(declaredType))
      return refuse(context, parameter, `${parameter.name.text} is assigned, so it needs a type`, `${parameter.name.text}: Int<0, 3>`)
    const local = context.graph.newLocal(`${symbol.name}`, declaredType, true)
    context.graph.emit({ op: 'assign', at: position(context, argument), dst: local, value: convertScalar(context, argument, given, declaredType) })
    binding = { b: 'variable', locals: [local], type: declaredType, name: symbol.name }
  } else if (declaredType?.k === 'word')
    binding = { b: 'value', value: { v: 'word', type: declaredType, parts: convert(context, argument, given, declaredType) } }
  else if (declaredType && isScalar(declaredType) && given.v !== 'record')
    binding = { b: 'value', value: scalar(convertScalar(context, argument, given, declaredType), declaredType) }
  else binding = { b: 'value', value: freeze(context, argument, given) }
  scope.names.set(symbol, binding)
}

const assignedParameters = new WeakMap<ts.ParameterDeclaration, boolean>()

/** True if the function's body assigns the parameter. */
function isAssigned(parameter: ts.ParameterDeclaration): boolean {
  const known = assignedParameters.get(parameter)
  if (known !== undefined) return known
  const found = assignsParameter(parameter)
  assignedParameters.set(parameter, found)
  return found
}

function assignsParameter(parameter: ts.ParameterDeclaration): boolean {
  const name = (parameter.name as ts.Identifier).text
  let assigned = false
  const visit = (node: ts.Node): void => {
    if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment &&
      ts.isIdentifier(node.left) &&
      node.left.text === name
    )
      assigned = true
    if (
      (ts.isPostfixUnaryExpression(node) ||
        (ts.isPrefixUnaryExpression(node) && (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken))) &&
      ts.isIdentifier(node.operand) &&
      node.operand.text === name
    )
      assigned = true
    ts.forEachChild(node, visit)
  }
  const body = parameter.parent as ts.FunctionLikeDeclaration
  if (body.body) visit(body.body)
  return assigned
}

/** Returns of the function itself, not of functions inside it. */
function returnsIn(node: ts.Node): ts.ReturnStatement[] {
  if (ts.isReturnStatement(node)) return [node]
  if (ts.isFunctionLike(node)) return []
  const found: ts.ReturnStatement[] = []
  ts.forEachChild(node, (child) => {
    found.push(...returnsIn(child))
  })
  return found
}

/** A block in a condition: constants, `if (...) return`, and a final return. */
function pureBlock(context: Context, code: ts.Block): Value {
  return pureStatements(context, code.statements, code)
}

function pureStatements(context: Context, rest: readonly ts.Statement[], at: ts.Node): Value {
  const [first, ...others] = rest
  if (!first) return refuse(context, at, 'this path of a condition gives no value', 'a return')
  noteLowered(context, first)
  if (ts.isBlock(first)) return pureStatements(context, [...first.statements, ...others], first)
  if (ts.isReturnStatement(first)) return first.expression ? expression(context, first.expression) : VOID
  if (ts.isVariableStatement(first)) {
    statements(context, [first])
    return pureStatements(context, others, at)
  }
  if (ts.isIfStatement(first)) {
    const cond = condition(context, first.expression, expression(context, first.expression))
    if (cond.e === 'const')
      return pureStatements(context, cond.value !== 0 ? [first.thenStatement, ...others] : first.elseStatement ? [first.elseStatement, ...others] : others, at)
    const a = pureStatements(context, [first.thenStatement, ...others], at)
    const b = pureStatements(context, first.elseStatement ? [first.elseStatement, ...others] : others, at)
    if (a.v !== 'scalar') return refuse(context, first, 'a condition gives plain values', 'a boolean or an integer')
    const type: ScalarType = a.type
    return scalar(conditional(cond, a.expr, convertScalar(context, first, b, type)), type)
  }
  return refuse(context, first, 'a condition cannot do this', 'constants, if and return only')
}
