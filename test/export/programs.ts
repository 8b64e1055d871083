/** Small programs for the tests of the exporters, built by hand. */
import type { Check, CheckKind, Column, Expr, Guard, Local, Node, Place, Position, Program, Properties, Thread } from '../../src/ir/program.ts'

type Loose<T> = T extends Node
  ? Omit<T, 'at' | 'next' | 'then' | 'else' | 'attached'> & { next?: number; then?: number; else?: number; attached?: boolean }
  : never
/** A node without its position; `next` is the following node unless given, a `choose` is not attached. */
export type Draft = Loose<Node>

export const int = (value: number): Expr => ({ e: 'const', value })
export const local = (id: number): Expr => ({ e: 'local', local: id })
export const cell = (column: number, index: Expr = int(0)): Place => ({ column, index })
export const load = (column: number, index: Expr = int(0)): Expr => ({ e: 'load', place: cell(column, index) })
export const bin = (op: (Expr & { e: 'bin' })['op'], a: Expr, b: Expr): Expr => ({ e: 'bin', op, a, b })
export const not = (a: Expr): Expr => ({ e: 'not', a })
export const guard = (cond: Expr, more: Partial<Guard> = {}): Guard => ({ cond, what: 'wait', ...more })

export function column(field: string, init: number[], range: readonly [number, number] = [0, 15], more: Partial<Column> = {}): Column {
  const cells = init.map((_, i) => (init.length === 1 ? `page.${field}` : `pages[${i}].${field}`))
  return { field, struct: 'Page', cells, lo: range[0], hi: range[1], display: { kind: 'int' }, ghost: false, init, ...more }
}

export function variable(name: string, lo = 0, hi = 15): Local {
  return { name, lo, hi, display: { kind: 'int' } }
}

export function thread(name: string, locals: readonly Local[], drafts: readonly Draft[], entry = 0): Thread {
  const at = (line: number): Position => ({
    file: 'test.ts',
    line,
    column: 1,
    text: `${drafts[line - 1].op} ${name}`,
    stack: [{ name, file: 'test.ts', calledAt: 0 }],
  })
  const nodes = drafts.map((draft, i) => ({ at: at(i + 1), next: i + 1, then: i + 1, else: i + 1, attached: false, ...draft }) as Node)
  return { name, nodes, entry, locals, symmetry: 0 }
}

export function check(kind: CheckKind, fatal: boolean, id = `${kind}:test`): Check {
  return { kind, id, name: id, message: `${id} failed`, fatal }
}

export function program(columns: readonly Column[], threads: readonly Thread[], checks: readonly Check[] = [], properties: Partial<Properties> = {}): Program {
  return {
    scenario: 'test',
    about: 'A test.',
    bounds: `${threads.length} threads`,
    kernel: 'none',
    changes: [],
    hash: '0',
    columns,
    threads,
    checks,
    properties: { always: [], finally: [], eventually: [], sometimes: [], ...properties },
    guarded: [],
  }
}

export const nowhere: Position = { file: 'test.ts', line: 1, column: 1, text: 'property', stack: [] }
