/** Names declared at the top of a module: objects, functions, constants. */
import ts = require('typescript')

import { type Context, childScope, refuse } from './context.ts'
import { expression } from './expression.ts'
import { objectPlace } from './memory.ts'
import { number, type Value } from './value.ts'
import type { Struct } from './value-type.ts'

/** The value of a module-level name. Objects get their place in the pool at their first mention. */
export function declared(context: Context, node: ts.Node, symbol: ts.Symbol): Value {
  const declaration = symbol.valueDeclaration ?? symbol.declarations?.[0]
  if (declaration && ts.isFunctionDeclaration(declaration)) return { v: 'function', body: declaration, scope: undefined }
  if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer)
    return refuse(context, node, `${symbol.name} cannot be used here`, 'a function, a constant or an object')
  if ((ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) === 0)
    return refuse(context, node, `${symbol.name} is a variable of the module`, 'a field of a structure: state lives in structures')
  const { initializer } = declaration
  if (ts.isCallExpression(initializer)) {
    const callee = context.unit.symbol(initializer.expression)
    if (callee && context.unit.isModelWord(callee)) {
      if (callee.name === 'struct') return declareObject(context, initializer, symbol.name)
      if (callee.name === 'structs') return declareObjects(context, initializer, symbol.name)
    }
  }
  if (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer)) return { v: 'function', body: initializer, scope: undefined }
  // A constant: computed without state.
  const value = expression({ ...context, pure: true, scope: childScope(undefined) }, initializer)
  const type = declaration.type && context.unit.type(declaration.type)
  if (type?.k === 'word' && value.v === 'record') {
    const parts = type.fields.map((field) => {
      const given = value.fields.get(field.name)?.value
      if (given?.v === 'literal' && field.type.k === 'enum') return number(field.type.members.indexOf(given.text))
      if (given?.v === 'null') return number(0)
      return given?.v === 'scalar' ? given.expr : refuse(context, node, `${symbol.name} is not constant`, 'plain values')
    })
    return { v: 'word', type, parts }
  }
  return value
}

function structArgument(context: Context, node: ts.CallExpression): Struct {
  const symbol = context.unit.symbol(node.arguments[0])
  return (symbol && context.unit.struct(symbol)) || refuse(context, node.arguments[0], `${node.arguments[0].getText()} is no structure`, 'the name of a class')
}

function initLiteral(context: Context, node: ts.Expression | undefined): ts.ObjectLiteralExpression | undefined {
  if (!node || ts.isObjectLiteralExpression(node)) return node
  return refuse(context, node, 'the initial values must be written here', '{ field: value }')
}

function declareObject(context: Context, node: ts.CallExpression, name: string): Value {
  const struct = structArgument(context, node)
  return objectPlace(struct, number(objectIndex(struct, name, initLiteral(context, node.arguments[1]))))
}

function declareObjects(context: Context, node: ts.CallExpression, name: string): Value {
  const struct = structArgument(context, node)
  const length = node.arguments[1]
  if (!ts.isNumericLiteral(length)) return refuse(context, length, 'the number of objects must be a number', '2')
  const elements = Array.from(
    { length: Number(length.text) },
    (_, i): Value => objectPlace(struct, number(objectIndex(struct, `${name}[${i}]`, initLiteral(context, node.arguments[2])))),
  )
  return { v: 'list', elements }
}

function objectIndex(struct: Struct, name: string, init: ts.ObjectLiteralExpression | undefined): number {
  const known = struct.objects.findIndex((object) => object.name === name && object.init === init)
  if (known >= 0) return known
  struct.objects.push({ name, init })
  return struct.objects.length - 1
}
