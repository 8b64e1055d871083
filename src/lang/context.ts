/** Where the lowering stands: in which thread, in which modelled function, inside which lock-step. */
import ts = require('typescript')

import type { Expr, Frame, Position } from '../ir/program.ts'
import type { GraphBuilder, Label } from './graph-builder.ts'
import type { Unit } from './unit.ts'
import type { Value } from './value.ts'
import type { ScalarType, ValueType } from './value-type.ts'

/** A name of a function being inlined: a value that never changes, or a variable in locals of the thread. */
export type Binding =
  | { readonly b: 'value'; readonly value: Value }
  /** Its declaration was refused: complaints about its uses would say nothing new. */
  | { readonly b: 'refused' }
  | { readonly b: 'variable'; readonly locals: readonly number[]; readonly type: ValueType; readonly name: string }

export interface Scope {
  readonly names: Map<ts.Symbol, Binding>
  readonly parent: Scope | undefined
}

export interface Return {
  readonly label: Label
  /** Locals of the result, made at the first `return` of a value. */
  result?: { readonly locals: readonly number[]; readonly type: ValueType }
  /** The value itself, when there is only one `return`, at the end. */
  single?: Value
  readonly onlyOne: boolean
  readonly declared?: ValueType
}

export interface Context {
  readonly unit: Unit
  readonly graph: GraphBuilder
  /** Index of the thread; set-up runs as thread 0. */
  readonly thread: number
  readonly setup: boolean
  readonly stack: readonly Frame[]
  readonly functions: readonly ts.Node[]
  readonly scope: Scope
  /** The expression becomes one pure expression: reads are part of it, nothing is emitted. */
  readonly pure: boolean
  /** Accesses belong to a step that has begun. */
  readonly inStep: boolean
  /** Ghost code: no step, no checks. */
  readonly ghost: boolean
  /** Reads and writes are marked as lockless. */
  readonly lockless: boolean
  /** Inside a primitive of the model (spin_lock): nodes stand at its call, in the function that calls it. */
  readonly primitive?: Position
  readonly returns?: Return
  readonly loops: readonly { readonly breakTo: Label; readonly continueTo?: Label }[]
}

/** Notes that a statement became part of a program. What an earlier pass lowers may still turn out to be dead. */
export function noteLowered({ unit, setup }: Context, node: ts.Statement): void {
  if (setup || unit.final) unit.sources.lowered.add(node)
  if (setup) unit.sources.loweredBySetup.add(node)
}

/** The position of a node of the syntax tree, with the modelled call stack. */
export function position(context: Context, node: ts.Node): Position {
  const { primitive } = context
  if (primitive) return { ...primitive, primitives: context.stack.slice(primitive.stack.length).map((frame) => frame.name) }
  return { ...placeOf(context, node), stack: context.stack }
}

type Place = Omit<Position, 'stack' | 'primitives'>
/** A function is inlined many times; where its statements stand is found out once. */
const places = new WeakMap<ts.Node, Place>()

function placeOf(context: Context, node: ts.Node): Place {
  const known = places.get(node)
  if (known) return known
  const file = node.getSourceFile()
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart())
  const place = { file: context.unit.sources.displayPath(file), line: line + 1, column: character + 1, text: statementText(node) }
  places.set(node, place)
  return place
}

/** The statement, or the head of the `if` or loop, that a node belongs to, on one line. */
function statementText(node: ts.Node): string {
  let at: ts.Node = node
  while (at.parent && !ts.isStatement(at) && !ts.isArrowFunction(at.parent)) at = at.parent
  let text: string
  if (ts.isIfStatement(at)) text = `if (${at.expression.getText()})`
  else if (ts.isWhileStatement(at)) text = `while (${at.expression.getText()})`
  else if (ts.isDoStatement(at)) text = `while (${at.expression.getText()})`
  else if (ts.isSwitchStatement(at)) text = `switch (${at.expression.getText()})`
  else if (ts.isForStatement(at) || ts.isForOfStatement(at) || ts.isBlock(at)) text = node.getText()
  else text = at.getText()
  // As the kernel would write it: a check's words are for reports, and how the formatter broke the line is nobody's concern.
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/;$/, '')
    .replace(/\( /g, '(')
    .replace(/,? \)/g, ')')
    .replace(/(WARN|BUG)_ON.*/, (check) => check.replace(/, (?:'(?:[^'\\]|\\.)*'|"[^"]*")/g, ''))
  return line.length > 90 ? `${line.slice(0, 87)}...` : line
}

export function scalar(expr: Expr, type: ScalarType): Value {
  return { v: 'scalar', expr, type }
}

export function lookup(scope: Scope | undefined, symbol: ts.Symbol): Binding | undefined {
  for (let at = scope; at; at = at.parent) {
    const binding = at.names.get(symbol)
    if (binding) return binding
  }
  return undefined
}

export function childScope(parent: Scope | undefined): Scope {
  return { names: new Map(), parent }
}

/** Thrown where lowering of a statement cannot go on; the complaint is already recorded. */
export class Refused extends Error {}

/** Complains and gives up on the statement. */
export function refuse(context: Context, node: ts.Node, message: string, instead: string): never {
  context.unit.complain(node, message, instead)
  throw new Refused(message)
}
