/** Passes over a finished program: columns nobody uses go, columns nobody writes are constants, and a hash names the rest. */
import { expressions } from '../ir/liveness.ts'
import type { Column, ColumnId, Expr, Node, Place, Program, Properties, Thread } from '../ir/program.ts'

interface Parts {
  readonly columns: readonly Column[]
  readonly threads: readonly Thread[]
  readonly properties: Properties
}

/** Drops columns that only the set-up or nobody used. */
export function usedColumns(
  parts: Parts,
  guarded: ReadonlySet<ColumnId>,
): Parts & { readonly guarded: readonly ColumnId[]; readonly original: readonly ColumnId[] } {
  const used = new Set<ColumnId>()
  const visit = (expr: Expr): void => {
    if (expr.e === 'load') {
      used.add(expr.place.column)
      visit(expr.place.index)
    } else if (expr.e === 'bin') {
      visit(expr.a)
      visit(expr.b)
    } else if (expr.e === 'not' || expr.e === 'neg') visit(expr.a)
    else if (expr.e === 'cond') {
      visit(expr.c)
      visit(expr.a)
      visit(expr.b)
    }
  }
  for (const thread of parts.threads) {
    for (const node of thread.nodes) {
      if (node.op === 'load' || node.op === 'store') for (const place of node.places) used.add(place.column)
      for (const expr of expressions(node)) visit(expr)
    }
  }
  const { always, finally: last, eventually, sometimes } = parts.properties
  for (const property of [...always, ...last, ...eventually, ...sometimes]) visit(property.cond)
  for (const property of eventually) used.add(property.seen)
  const original = [...used].sort((a, b) => a - b)
  const number = new Map(original.map((column, i) => [column, i]))
  const to = (column: ColumnId): ColumnId => number.get(column) as ColumnId
  const expr = (from: Expr): Expr => mapLoads(from, (place) => ({ column: to(place.column), index: place.index }))
  const property = <P extends { readonly cond: Expr }>(from: P): P => ({ ...from, cond: expr(from.cond) })
  return {
    columns: original.map((column) => parts.columns[column]),
    threads: parts.threads.map((thread) => ({ ...thread, nodes: thread.nodes.map((node) => mapNode(node, expr, to)) })),
    properties: {
      always: always.map(property),
      finally: last.map(property),
      eventually: eventually.map((each) => ({ ...property(each), seen: to(each.seen) })),
      sometimes: sometimes.map(property),
    },
    guarded: original.filter((column) => guarded.has(column)).map(to),
    original,
  }
}

/** A column no thread writes is no shared state: reading it is no step, and its range is what it holds. */
export function settleConstants(
  parts: Parts & { readonly guarded: readonly ColumnId[]; readonly original: readonly ColumnId[] },
  written: ReadonlySet<ColumnId>,
  /** Columns whose value is only known when the program begins. */
  open: (column: Column) => boolean = () => false,
): Parts & { readonly guarded: readonly ColumnId[] } {
  const changes = parts.original.map((column) => written.has(column))
  return {
    columns: parts.columns.map((column, c) =>
      changes[c] || column.init.length === 0 || open(column) ? column : { ...column, lo: Math.min(...column.init), hi: Math.max(...column.init) },
    ),
    threads: parts.threads.map((thread) => ({
      ...thread,
      nodes: thread.nodes.map((node) => (node.op === 'load' && node.places.every((place) => !changes[place.column]) ? { ...node, access: false } : node)),
    })),
    properties: parts.properties,
    guarded: parts.guarded,
  }
}

function mapLoads(expr: Expr, place: (place: Place) => Place): Expr {
  switch (expr.e) {
    case 'load':
      return { e: 'load', place: place({ column: expr.place.column, index: mapLoads(expr.place.index, place) }) }
    case 'bin':
      return { ...expr, a: mapLoads(expr.a, place), b: mapLoads(expr.b, place) }
    case 'not':
    case 'neg':
      return { ...expr, a: mapLoads(expr.a, place) }
    case 'cond':
      return { e: 'cond', c: mapLoads(expr.c, place), a: mapLoads(expr.a, place), b: mapLoads(expr.b, place) }
    default:
      return expr
  }
}

function mapNode(node: Node, expr: (from: Expr) => Expr, column: (from: ColumnId) => ColumnId): Node {
  const place = (from: Place): Place => ({ column: column(from.column), index: expr(from.index) })
  switch (node.op) {
    case 'assign':
      return { ...node, value: expr(node.value) }
    case 'load':
      return { ...node, places: node.places.map(place) }
    case 'store':
      return { ...node, places: node.places.map(place), values: node.values.map(expr) }
    case 'branch':
      return { ...node, cond: expr(node.cond) }
    case 'check':
      return { ...node, fails: expr(node.fails) }
    case 'step': {
      if (!node.guard) return node
      const { cond, waitsFor, sleepsUntil, what } = node.guard
      return {
        ...node,
        guard: { what, cond: expr(cond), ...(waitsFor ? { waitsFor: expr(waitsFor) } : {}), ...(sleepsUntil ? { sleepsUntil: expr(sleepsUntil) } : {}) },
      }
    }
    case 'choose':
    case 'end':
      return node
  }
}

/** 64 bits, as hex, of everything that determines behaviour; positions and names of sources do not. */
export function hashProgram(program: Omit<Program, 'hash'>): string {
  const threads = program.threads.map((thread) => ({ ...thread, nodes: thread.nodes.map(({ at: _, ...node }) => node) }))
  const properties = JSON.stringify(program.properties, (key, value) => (key === 'at' ? undefined : value))
  // Of the whole program such a function would be called for each of its hundred thousands of values.
  const text = `[${JSON.stringify(program.columns)},${JSON.stringify(threads)},${JSON.stringify(program.checks)},${properties}]`
  let a = 0x811c9dc5
  let b = 0x1b873593
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    a = Math.imul(a ^ c, 0x01000193)
    b = Math.imul(b ^ c, 0x85ebca6b) ^ (b >>> 15)
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0')
}
