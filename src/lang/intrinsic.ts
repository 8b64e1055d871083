/** The words of `putpage/model` that stand in expressions: steps, choices, marks, checks. */
import ts = require('typescript')

import type { CheckKind, Expr } from '../ir/program.ts'
import { inline } from './call.ts'
import { type Context, position, refuse, scalar } from './context.ts'
import { condition, convert, integer, structure } from './convert.ts'
import { expression, place } from './expression.ts'
import { elementPlace, read, write } from './memory.ts'
import { binary, not, number, type Value, VOID } from './value.ts'
import { BOOL, int } from './value-type.ts'

export function intrinsic(context: Context, node: ts.CallExpression, name: string): Value {
  const args = node.arguments
  switch (name) {
    case 'atomic':
      if (context.inStep || context.pure || context.ghost) return lambda({ ...context, inStep: true }, node, args[0])
      return context.graph.inOneStep({ at: position(context, node) }, () => lambda({ ...context, inStep: true }, node, args[0]))
    case 'step':
      if (!context.inStep) context.graph.emit({ op: 'step', at: position(context, node) })
      return VOID
    case 'block_until':
      return blockUntil(context, node)
    case 'choose':
      return choose(context, node)
    case 'may_fail':
      return mayFail(context, node)
    case 'me':
      if (context.thread < 0) return refuse(context, node, 'a property belongs to no thread', 'a field that says which thread')
      return scalar(number(context.thread + 1), { k: 'thread', nullable: false })
    case 'nr_threads': {
      const n = context.unit.threadNames.length
      return scalar(number(n), int(n, n))
    }
    case 'READ_ONCE':
    case 'data_race':
      return expression({ ...context, lockless: true }, args[0])
    case 'WRITE_ONCE': {
      const target = place(context, args[0])
      if (target.v !== 'place') return refuse(context, args[0], `${args[0].getText()} cannot be written`, 'a field')
      const values = convert(context, args[1], expression(context, args[1]), target.type)
      write({ ...context, lockless: true }, node, target, values)
      return VOID
    }
    case 'same': {
      const a = expression(context, args[0])
      const b = expression(context, args[1])
      if (a.v !== 'word') return refuse(context, args[0], `${args[0].getText()} is not a word`, '=== for plain values')
      const other = convert(context, args[1], b, a.type)
      return scalar(
        a.parts.map((part, i) => binary('==', part, other[i])).reduce((all, one) => binary('&&', all, one), number(1)),
        BOOL,
      )
    }
    case 'none': {
      const flags = place(context, args[0])
      if (flags.v !== 'place' || flags.type.k !== 'array' || (!context.pure && !context.inStep))
        return refuse(context, node, 'none() looks at several values at once', 'none(...) in a condition or inside atomic')
      const pure = { ...context, pure: true }
      const each = Array.from({ length: flags.type.length }, (_, i) => condition(pure, args[0], read(pure, node, elementPlace(pure, node, flags, number(i)))))
      return scalar(not(each.reduce((any, one) => binary('||', any, one), number(0))), BOOL)
    }
    case 'barrier':
      return VOID
    case 'WARN_ON':
    case 'WARN_ON_ONCE':
    case 'VM_WARN_ON':
      return kernelCheck(context, node, name, 'warn', false)
    case 'BUG_ON':
      kernelCheck(context, node, name, 'bug', true)
      return VOID
    case 'VM_BUG_ON':
      kernelCheck(context, node, name, 'bug', false)
      return VOID
    case 'expect':
      modelCheck(context, node, 'always')
      return VOID
    case 'ledger':
      if (context.unit.free) return VOID
      modelCheck(context, node, 'ledger')
      return VOID
    case 'held':
      if (context.unit.free) return VOID
      context.unit.asksHeld = true
      // It stands in the primitive, and is the mistake of who calls that.
      modelCheck(context, node, 'race', context.primitive?.stack)
      return VOID
    case 'retire':
      memory(context, node, 1)
      return VOID
    case 'revive':
      memory(context, node, 0)
      return VOID
    case 'ghost':
      if (!context.pure && !context.unit.free) lambda({ ...context, ghost: true, inStep: true }, node, args[0])
      return VOID
    default:
      return refuse(
        context,
        node,
        `${name} cannot be used here`,
        name === 'struct' || name === 'structs' ? 'a constant of the module: const x = struct(X)' : 'a word of putpage/model that stands in code',
      )
  }
}

/** Runs a function handed to a primitive. */
function lambda(context: Context, node: ts.Node, argument: ts.Expression): Value {
  const callee = place(context, argument)
  if (callee.v !== 'function') return refuse(context, argument, 'a function is needed here', '() => { ... }')
  return inline(context, node, callee, ts.isIdentifier(argument) ? argument.text : '', [])
}

function pureCondition(context: Context, node: ts.Node, argument: ts.Expression): Expr {
  return condition({ ...context, pure: true }, argument, lambda({ ...context, pure: true }, node, argument))
}

function blockUntil(context: Context, node: ts.CallExpression): Value {
  if (context.inStep || context.pure)
    return refuse(context, node, 'a step cannot wait in its middle', 'block_until outside of atomic, with what follows in then: () => ...')
  const [cond, info] = node.arguments
  const option = (name: string): ts.Expression | undefined => {
    if (!info) return undefined
    if (!ts.isObjectLiteralExpression(info)) return refuse(context, info, 'the options must be written here', '{ then: () => ..., on: () => ... }')
    const member = info.properties.find((property) => property.name && ts.isIdentifier(property.name) && property.name.text === name)
    if (member && ts.isPropertyAssignment(member)) return member.initializer
    return member && ts.isShorthandPropertyAssignment(member) ? member.name : undefined
  }
  const on = option('on')
  const until = option('until')
  const then = option('then')
  const what = option('what')
  let waitsFor: Expr | undefined
  if (on) {
    const thread = lambda({ ...context, pure: true }, node, on)
    waitsFor = thread.v === 'scalar' ? thread.expr : undefined
  }
  const at = position(context, node)
  const frame = context.stack[context.stack.length - 1]
  const guard = {
    cond: pureCondition(context, node, cond),
    ...(waitsFor ? { waitsFor } : {}),
    ...(until ? { sleepsUntil: pureCondition(context, node, until) } : {}),
    what: what && ts.isStringLiteral(what) ? what.text : waitName(context, frame.name),
  }
  // A lock nobody else ever takes cannot make anybody wait.
  const waits = guard.cond.e !== 'const' || guard.cond.value === 0
  context.graph.inOneStep({ at, ...(waits ? { guard } : {}) }, () => {
    if (then) lambda({ ...context, inStep: true }, node, then)
  })
  return VOID
}

/** `spin_lock(vma.ptl)`: the call of the primitive that waits. */
function waitName(context: Context, name: string): string {
  return context.primitive ? context.primitive.text : name
}

function choose(context: Context, node: ts.CallExpression): Value {
  const count = integer(context, node, expression(context, node.arguments[0]))
  if (count.expr.e !== 'const' || count.expr.value < 1) return refuse(context, node, 'choose needs a constant number of choices', 'choose(2)')
  if (context.pure) return refuse(context, node, 'a condition cannot choose', 'the choice before the condition')
  const dst = context.graph.newLocal(`${context.stack[context.stack.length - 1].name}.choice`, int(0, count.expr.value - 1))
  context.graph.emit({ op: 'choose', at: position(context, node), dst, count: count.expr.value, failure: false, attached: context.inStep })
  return scalar({ e: 'local', local: dst }, int(0, count.expr.value - 1))
}

/** A choice that a site makes at most once a run: a hidden cell remembers that it has failed. */
function mayFail(context: Context, node: ts.CallExpression): Value {
  if (context.pure) return refuse(context, node, 'a condition cannot fail', 'may_fail() before the condition')
  const at = position(context, node)
  const name = context.stack[context.stack.length - 1].name
  const { line, character } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart())
  const failed = context.unit.injected(`${context.unit.sources.displayPath(node.getSourceFile())}:${line + 1}:${character + 1}`)
  const cell = { column: failed.id, index: number(0) }
  const dst = context.graph.newLocal(`${name}.fails`, BOOL, true)
  const choose = (): void => {
    context.graph.emit({ op: 'choose', at, dst, count: 2, failure: true, attached: context.inStep })
    context.graph.branch(
      at,
      { e: 'local', local: dst },
      () => context.graph.emit({ op: 'store', at, places: [cell], values: [number(1)], access: false }),
      () => {},
    )
  }
  const before = context.graph.newLocal(`${name}.failed`, BOOL)
  failed.written = true
  // The choice comes first, so that it is made in the step that follows it; a second failure is no choice.
  context.graph.emit({ op: 'load', at, dsts: [before], places: [cell], access: false })
  context.graph.branch(at, { e: 'local', local: before }, () => context.graph.emit({ op: 'assign', at, dst, value: number(0) }), choose)
  return scalar({ e: 'local', local: dst }, BOOL)
}

/** WARN_ON and its relatives: named by the function and, if given, the kernel's own words. */
function kernelCheck(context: Context, node: ts.CallExpression, name: string, kind: CheckKind, fatal: boolean): Value {
  const fails = condition(context, node.arguments[0], expression(context, node.arguments[0]))
  const text = node.arguments[0].getText().replace(/\s+/g, ' ')
  const [, what, means] = node.arguments
  const where = context.stack[context.stack.length - 1].name
  const words = what && ts.isStringLiteral(what) ? what.text : text
  const sentence = means && ts.isStringLiteral(means) ? `${means.text.replace(/^./, (first) => first.toUpperCase())}.` : `${name}(${text}) fires in ${where}().`
  const check = context.unit.check(kind, `${kind}:${where}:${words}`, `${name}(${words}) in ${where}`, sentence, fatal)
  // By itself a function is followed only where the kernel goes on.
  const looked = !context.setup || (context.unit.free !== undefined && fatal)
  if (!context.pure && looked) context.graph.emit({ op: 'check', at: position(context, node), check, fails })
  return scalar(fails, BOOL)
}

function modelCheck(context: Context, node: ts.CallExpression, kind: CheckKind, stack = context.stack): void {
  const quiet = context.unit.free ? context : { ...context, ghost: true, inStep: true }
  const holds = condition(context, node.arguments[0], expression(quiet, node.arguments[0]))
  const what = node.arguments[1]
  if (!ts.isStringLiteral(what)) return refuse(context, what, 'the sentence must be written here', "'what must hold'")
  const where = stack[stack.length - 1].name
  const check = context.unit.check(kind, `${kind}:${where}:${what.text}`, `${what.text}, in ${where}`, `${what.text}, in ${where}().`, false)
  const looked = !context.setup || context.unit.free !== undefined
  if (!context.pure && looked) context.graph.emit({ op: 'check', at: position(context, node), check, fails: not(holds) })
}

function memory(context: Context, node: ts.CallExpression, gone: number): void {
  const object = structure(context, node.arguments[0], place(context, node.arguments[0]))
  context.unit.retiredNow.add(object.struct.name)
  if (!context.unit.retired.has(object.struct.name)) return
  const column = context.unit.memory(object.struct)
  column.written = true
  context.graph.emit({ op: 'store', at: position(context, node), places: [{ column: column.id, index: object.object }], values: [number(gone)], access: false })
}
