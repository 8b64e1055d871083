/** A small notation for programs, for tests: columns by name, threads as lists of nodes with labels. */
import type { BinaryOp, Check, CheckKind, Column, Expr, Guard, Local, Node, Position, Program, Properties, Thread } from '../../src/ir/program.ts'

export const k = (value: number): Expr => ({ e: 'const', value })
export const l = (local: number): Expr => ({ e: 'local', local })
export const op = (a: Expr, name: BinaryOp, b: Expr): Expr => ({ e: 'bin', op: name, a, b })
export const not = (a: Expr): Expr => ({ e: 'not', a })
export const read = (column: number, index: Expr = k(0)): Expr => ({ e: 'load', place: { column, index } })

/** A node without position; `next` is a label, by default the node that follows. */
export type Line =
  | { at: string }
  | { op: 'assign'; dst: number; value: Expr; next?: string; progress?: boolean }
  | { op: 'load'; dst: number; column: number; index?: Expr; access?: boolean; next?: string; progress?: boolean }
  | { op: 'store'; column: number; index?: Expr; value: Expr; access?: boolean; next?: string; progress?: boolean }
  | { op: 'step'; guard?: Guard; next?: string; progress?: boolean }
  | { op: 'branch'; cond: Expr; then: string; else?: string; progress?: boolean }
  | { op: 'choose'; dst: number; count: number; failure?: boolean; attached?: boolean; next?: string; progress?: boolean }
  | { op: 'check'; check: number; fails: Expr; next?: string; progress?: boolean }
  | { op: 'end' }

export function column(field: string, lo: number, hi: number, init: readonly number[]): Column {
  return { field, struct: 'S', cells: init.map((_, i) => `${field}[${i}]`), lo, hi, init, display: { kind: 'int' }, ghost: false }
}

export function local(name: string, lo: number, hi: number): Local {
  return { name, lo, hi, display: { kind: 'int' } }
}

export function check(kind: CheckKind, name: string = kind, fatal = false): Check {
  return { kind, id: `${kind}:${name}`, name, message: name, fatal }
}

/** The checks that every program has exactly one of; they come last. */
export const HANG_CHECKS: readonly Check[] = [check('deadlock'), check('lost-wake'), check('sleeps'), check('livelock')]

export function position(text: string, line = 0): Position {
  return { file: 'test.ts', line, column: 1, text, stack: [{ name: 'test', file: 'test.ts', calledAt: 0 }] }
}

export function thread(name: string, locals: readonly Local[], lines: readonly Line[], symmetry = -1): Thread {
  const labels = new Map<string, number>()
  let count = 0
  for (const line of lines) {
    if ('at' in line) labels.set(line.at, count)
    else count++
  }
  const nodes: Node[] = []
  for (const line of lines) {
    if ('at' in line) continue
    const here = nodes.length
    const to = (label: string | undefined): number => (label === undefined ? here + 1 : (labels.get(label) as number))
    const base = { at: position(`${name} ${line.op}`, here), ...('progress' in line && line.progress ? { progress: true } : {}) }
    const index = 'index' in line && line.index ? line.index : k(0)
    if (line.op === 'assign') nodes.push({ ...base, op: 'assign', dst: line.dst, value: line.value, next: to(line.next) })
    else if (line.op === 'load')
      nodes.push({ ...base, op: 'load', dsts: [line.dst], places: [{ column: line.column, index }], access: line.access ?? true, next: to(line.next) })
    else if (line.op === 'store')
      nodes.push({ ...base, op: 'store', places: [{ column: line.column, index }], values: [line.value], access: line.access ?? true, next: to(line.next) })
    else if (line.op === 'step') nodes.push({ ...base, op: 'step', ...(line.guard ? { guard: line.guard } : {}), next: to(line.next) })
    else if (line.op === 'branch') nodes.push({ ...base, op: 'branch', cond: line.cond, then: to(line.then), else: to(line.else) })
    else if (line.op === 'choose')
      nodes.push({
        ...base,
        op: 'choose',
        dst: line.dst,
        count: line.count,
        failure: line.failure ?? false,
        attached: line.attached ?? false,
        next: to(line.next),
      })
    else if (line.op === 'check') nodes.push({ ...base, op: 'check', check: line.check, fails: line.fails, next: to(line.next) })
    else nodes.push({ ...base, op: 'end' })
  }
  return { name, nodes, entry: 0, locals, symmetry }
}

export function program(parts: {
  columns: readonly Column[]
  threads: readonly Thread[]
  checks?: readonly Check[]
  properties?: Partial<Properties>
  guarded?: readonly number[]
}): Program {
  return {
    scenario: 'test',
    about: 'a test',
    bounds: 'small',
    kernel: 'v0',
    changes: [],
    hash: 'none',
    columns: parts.columns,
    threads: parts.threads.map((one, i) => (one.symmetry < 0 ? { ...one, symmetry: i } : one)),
    checks: [...(parts.checks ?? []), ...HANG_CHECKS],
    properties: { always: [], finally: [], eventually: [], sometimes: [], ...parts.properties },
    guarded: parts.guarded ?? [],
  }
}
