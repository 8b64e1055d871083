/** Random programs: arbitrary control flow, every operator, guards, choices, fatal and harmless checks, properties. */
import fc from 'fast-check'
import type { BinaryOp, Expr, Guard, Program } from '../../src/ir/program.ts'
import { bin, cell, check, column, type Draft, guard, int, load, local, not, nowhere, program, thread, variable } from './programs.ts'

const OPERATORS: BinaryOp[] = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '<', '<=', '>', '>=', '==', '!=', '&&', '||']
/** Everything stored is masked with this, so that programs are finite. */
const MASK = 3
const LOCALS = 3
const CHECKS = [
  check('warn', false, 'warn'),
  check('bug', true, 'bug'),
  check('use-after-free', true, 'free'),
  ...(['always', 'finally', 'eventually', 'deadlock', 'sleeps', 'lost-wake'] as const).map((kind) => check(kind, false, kind)),
]

const masked = (expr: Expr): Expr => bin('&', expr, int(MASK))
const index = (expr: Expr): Expr => bin('&', expr, int(1))

/** Expressions; those of properties read no local. */
function expression(locals: boolean, depth = 2): fc.Arbitrary<Expr> {
  const leaf = fc.oneof(
    fc.integer({ min: 0, max: 7 }).map(int),
    fc.constant(load(0)),
    fc.integer({ min: 0, max: 1 }).map((i) => load(1, int(i))),
    ...(locals ? [fc.integer({ min: 0, max: LOCALS - 1 }).map(local), fc.integer({ min: 0, max: LOCALS - 1 }).map((id) => load(1, index(local(id))))] : []),
  )
  if (depth === 0) return leaf
  const below = expression(locals, depth - 1)
  return fc.oneof(
    leaf,
    below.map(not),
    below.map((a): Expr => ({ e: 'neg', a })),
    fc.tuple(fc.constantFrom(...OPERATORS), below, below).map(([op, a, b]) => bin(op, a, b)),
    fc.tuple(below, below, below).map(([c, a, b]): Expr => ({ e: 'cond', c, a, b })),
  )
}

/** A guard of a lock, which may know whom it waits for, or of a sleep. */
function blocking(expr: fc.Arbitrary<Expr>): fc.Arbitrary<Guard> {
  const thread = fc.oneof(
    fc.integer({ min: 0, max: 2 }).map(int),
    expr.map((any) => bin('%', masked(any), int(3))),
  )
  return fc.oneof(
    expr.map((cond) => guard(cond)),
    fc.tuple(expr, thread).map(([cond, waitsFor]) => guard(cond, { waitsFor })),
    fc.tuple(expr, expr).map(([cond, sleepsUntil]) => guard(cond, { sleepsUntil })),
  )
}

/** A node at position `i` of `n`. Jumps lead forwards, but from an access anywhere: so a transition always ends. */
function draft(i: number, n: number): fc.Arbitrary<Draft> {
  const expr = expression(true)
  const id = fc.integer({ min: 0, max: LOCALS - 1 })
  const forward = fc.integer({ min: i + 1, max: n - 1 })
  const anywhere = fc.integer({ min: 0, max: n - 1 })
  const place = fc.oneof(
    fc.constant(cell(0)),
    expr.map((at) => cell(1, index(at))),
  )
  const write = fc.array(fc.tuple(place, expr), { minLength: 1, maxLength: 2 })
  const read = fc.uniqueArray(fc.tuple(id, place), { minLength: 1, maxLength: 2, selector: ([dst]) => dst })
  return fc.oneof(
    fc.tuple(id, expr, forward).map(([dst, value, next]): Draft => ({ op: 'assign', dst, value: masked(value), next })),
    fc
      .tuple(read, anywhere)
      .map(([pairs, next]): Draft => ({ op: 'load', dsts: pairs.map(([dst]) => dst), places: pairs.map(([, at]) => at), access: true, next })),
    fc
      .tuple(write, anywhere)
      .map(([pairs, next]): Draft => ({ op: 'store', places: pairs.map(([at]) => at), values: pairs.map(([, value]) => masked(value)), access: true, next })),
    fc
      .tuple(write, forward)
      .map(([pairs, next]): Draft => ({ op: 'store', places: pairs.map(([at]) => at), values: pairs.map(([, value]) => masked(value)), access: false, next })),
    fc.tuple(fc.option(blocking(expr), { nil: undefined }), anywhere).map(([wait, next]): Draft => ({ op: 'step', ...(wait ? { guard: wait } : {}), next })),
    fc.tuple(expr, forward, forward).map(([cond, then, otherwise]): Draft => ({ op: 'branch', cond, then, else: otherwise })),
    fc
      .tuple(id, fc.integer({ min: 1, max: 3 }), fc.boolean(), forward)
      .map(([dst, count, attached, next]): Draft => ({ op: 'choose', dst, count, failure: false, attached, next })),
    {
      // The most delicate part of the export.
      weight: 3,
      arbitrary: fc.tuple(fc.integer({ min: 0, max: 2 }), expr, forward).map(([id, fails, next]): Draft => ({ op: 'check', check: id, fails, next })),
    },
  )
}

function drafts(): fc.Arbitrary<Draft[]> {
  return fc
    .integer({ min: 4, max: 10 })
    .chain((n) => fc.tuple(...Array.from({ length: n - 1 }, (_, i) => draft(i, n))).map((list): Draft[] => [...list, { op: 'end' }]))
}

/** A program of two threads. Each check has its own id; those of hangs have their kind. */
export function randomProgram(): fc.Arbitrary<Program> {
  const property = expression(false)
  return fc.tuple(drafts(), drafts(), property, property, property).map(([one, two, always, atEnd, eventually]) => {
    const locals = [variable('f.x', 0, MASK), variable('f.y', 0, MASK), variable('f.x', 0, MASK)]
    const columns = [column('count', [1], [0, MASK]), column('map', [0, 2], [0, MASK]), column('seen', [0], [0, 1], { ghost: true })]
    const of = (cond: Expr, id: number) => ({ name: CHECKS[id].id, cond, at: nowhere, check: id })
    return program(columns, [thread('one', locals, one), thread('two', locals, two)], CHECKS, {
      always: [of(always, 3)],
      finally: [of(atEnd, 4)],
      eventually: [{ ...of(eventually, 5), seen: 2 }],
    })
  })
}
