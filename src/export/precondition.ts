/**
 * When a transition ends its path: the weakest precondition of reaching a fatal check that fails, as an expression over
 * the state before the transition. Promela cannot take back half an atomic block, so such a transition must not begin.
 */
import type { BinaryOp, CheckId, Expr, LocalId, Place, Program } from '../ir/program.ts'
import type { Item, Target, TransitionGraph } from './transition-graph.ts'

const FALSE: Expr = { e: 'const', value: 0 }
const TRUE: Expr = { e: 'const', value: 1 }
/** Larger preconditions than this many operators are unreadable, and slow in SPIN. */
const SIZE_LIMIT = 800

export interface Doom {
  /** True in a state from which every way through the transition ends at a failed fatal check. */
  readonly start: Expr
  /** For each `choose` item, by value: every way after that choice ends so; in terms of the state before the choice. */
  readonly choices: ReadonlyMap<number, readonly Expr[]>
}

/**
 * Gives the precondition of the transitions of a graph, or undefined if there is none of reasonable size (a loop with a
 * fatal check in it). A failure of a watched check is not doom but must be seen: a transition in which it fails first may begin.
 */
export function doomOf(program: Program, graph: TransitionGraph, watched: ReadonlySet<CheckId>): Doom | undefined {
  const known = new Map<number, Expr | undefined>()
  const choices = new Map<number, readonly Expr[]>()
  const threatened = itemsBeforeFatalChecks(program, graph)

  function ofTarget(target: Target): Expr | undefined {
    if (target.kind !== 'item' || !threatened.has(target.key)) return FALSE
    if (!known.has(target.key)) {
      // Met again while it is being computed, this stays undefined: a loop.
      known.set(target.key, undefined)
      const expr = ofItem(graph.items.get(target.key) as Item)
      known.set(target.key, expr !== undefined && size(expr) <= SIZE_LIMIT ? expr : undefined)
    }
    return known.get(target.key)
  }

  function ofItem(item: Item): Expr | undefined {
    const { node } = item
    const next = ofTarget(item.next[0])
    if (next === undefined) return undefined
    switch (node.op) {
      case 'assign':
        return replaceLocals(next, new Map([[node.dst, node.value]]))
      case 'load':
        return replaceLocals(next, new Map(node.dsts.map((dst, i) => [dst, { e: 'load', place: node.places[i] }])))
      case 'store':
        return replaceLoads(next, node.places, node.values)
      case 'branch': {
        const otherwise = ofTarget(item.next[1])
        return otherwise && choose(node.cond, next, otherwise)
      }
      case 'choose': {
        const values = Array.from({ length: node.count }, (_, value) => replaceLocals(next, new Map([[node.dst, { e: 'const', value }]])))
        choices.set(item.key, values)
        return values.reduce((all, one) => and(all, one), TRUE)
      }
      case 'check':
        if (watched.has(node.check)) return and(not(node.fails), next)
        return program.checks[node.check].fatal ? or(node.fails, next) : next
      case 'step':
        return next
      case 'end':
        return FALSE
    }
  }

  const start = ofTarget({ kind: 'item', key: graph.entry })
  return start && { start, choices }
}

/** Items from which a fatal check can be reached in the same transition. */
function itemsBeforeFatalChecks(program: Program, graph: TransitionGraph): Set<number> {
  const found = new Set<number>()
  for (const { key, node } of graph.items.values()) if (node.op === 'check' && program.checks[node.check].fatal) found.add(key)
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { key, next } of graph.items.values()) if (next.some((to) => to.kind === 'item' && found.has(to.key))) found.add(key)
  }
  return found
}

/** `expr` after the locals got new values, in terms of the state before. */
function replaceLocals(expr: Expr, values: ReadonlyMap<LocalId, Expr>): Expr {
  return rewrite(expr, (leaf) => (leaf.e === 'local' ? (values.get(leaf.local) ?? leaf) : leaf))
}

/** `expr` after the stores, in terms of the state before: a load may or may not meet a cell that was written. */
function replaceLoads(expr: Expr, places: readonly Place[], values: readonly Expr[]): Expr {
  return rewrite(expr, (leaf) => {
    if (leaf.e !== 'load') return leaf
    // Later stores win, so they are asked first: built from the first outwards.
    return places.reduce(
      (old: Expr, place, i) => (place.column === leaf.place.column ? choose(binary('==', leaf.place.index, place.index), values[i], old) : old),
      leaf,
    )
  })
}

/** Rebuilds an expression with its locals and loads replaced; the index of a load is rewritten before the load. */
function rewrite(expr: Expr, replace: (leaf: Expr) => Expr): Expr {
  switch (expr.e) {
    case 'const':
      return expr
    case 'local':
      return replace(expr)
    case 'load':
      return replace({ e: 'load', place: { column: expr.place.column, index: rewrite(expr.place.index, replace) } })
    case 'not':
      return not(rewrite(expr.a, replace))
    case 'neg':
      return { e: 'neg', a: rewrite(expr.a, replace) }
    case 'cond':
      return choose(rewrite(expr.c, replace), rewrite(expr.a, replace), rewrite(expr.b, replace))
    case 'bin': {
      const a = rewrite(expr.a, replace)
      const b = rewrite(expr.b, replace)
      return expr.op === '&&' ? and(a, b) : expr.op === '||' ? or(a, b) : binary(expr.op, a, b)
    }
  }
}

/** Negation, simplified. Its operand is a truth value: only whether it is 0 matters. */
export function not(a: Expr): Expr {
  if (a.e === 'const') return a.value === 0 ? TRUE : FALSE
  return { e: 'not', a }
}

/** Conjunction, simplified where a side is constant. */
export function and(a: Expr, b: Expr): Expr {
  if (a.e === 'const') return a.value === 0 ? FALSE : asTruth(b)
  if (b.e === 'const') return b.value === 0 ? FALSE : asTruth(a)
  return { e: 'bin', op: '&&', a, b }
}

/** Disjunction, simplified where a side is constant. */
export function or(a: Expr, b: Expr): Expr {
  if (a.e === 'const') return a.value !== 0 ? TRUE : asTruth(b)
  if (b.e === 'const') return b.value === 0 ? asTruth(a) : TRUE
  return { e: 'bin', op: '||', a, b }
}

function choose(c: Expr, a: Expr, b: Expr): Expr {
  if (c.e === 'const') return c.value !== 0 ? a : b
  return same(a, b) ? a : { e: 'cond', c, a, b }
}

function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  if (op === '==') {
    if (a.e === 'const' && b.e === 'const') return a.value === b.value ? TRUE : FALSE
    if (same(a, b)) return TRUE
  }
  return { e: 'bin', op, a, b }
}

/** Logic gives 0 or 1, whatever its operands are. */
function asTruth(a: Expr): Expr {
  const isTruth =
    a.e === 'not' || (a.e === 'const' && (a.value === 0 || a.value === 1)) || (a.e === 'bin' && ['&&', '||', '<', '<=', '>', '>=', '==', '!='].includes(a.op))
  return isTruth ? a : { e: 'bin', op: '!=', a, b: FALSE }
}

/** Whether two expressions are written the same. */
function same(a: Expr, b: Expr): boolean {
  if (a === b) return true
  if (a.e === 'const') return b.e === 'const' && a.value === b.value
  if (a.e === 'local') return b.e === 'local' && a.local === b.local
  if (a.e === 'load') return b.e === 'load' && a.place.column === b.place.column && same(a.place.index, b.place.index)
  if (a.e === 'bin') return b.e === 'bin' && a.op === b.op && same(a.a, b.a) && same(a.b, b.b)
  if (a.e === 'cond') return b.e === 'cond' && same(a.c, b.c) && same(a.a, b.a) && same(a.b, b.b)
  return a.e === b.e && same(a.a, (b as typeof a).a)
}

/** Operators in an expression; stops counting when there are clearly too many. */
function size(expr: Expr): number {
  let count = 0
  const work = [expr]
  while (work.length > 0 && count <= SIZE_LIMIT) {
    const one = work.pop() as Expr
    count++
    if (one.e === 'load') work.push(one.place.index)
    if (one.e === 'not' || one.e === 'neg' || one.e === 'bin' || one.e === 'cond') work.push(one.a)
    if (one.e === 'bin' || one.e === 'cond') work.push(one.b)
    if (one.e === 'cond') work.push(one.c)
  }
  return count
}
