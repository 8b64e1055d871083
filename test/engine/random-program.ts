/** Random small programs for fast-check: every one is sound (in range, no step without end). */
import fc from 'fast-check'
import type { BinaryOp, Check, Expr, Program } from '../../src/ir/program.ts'
import { check, column, HANG_CHECKS, k, type Line, l, local, not, op, position, program, read, thread } from './build-program.ts'

/** Cells and range of the columns; the third needs several words, the last is what `eventually` remembers. */
const COLUMNS = [
  { cells: 1, lo: 0, hi: 3 },
  { cells: 3, lo: -2, hi: 2 },
  { cells: 14, lo: 0, hi: 6 },
  { cells: 1, lo: 5, hi: 5 },
  { cells: 1, lo: 0, hi: 1 },
]
const SEEN = COLUMNS.length - 1
const LOCALS = [
  { lo: 0, hi: 3 },
  { lo: -1, hi: 1 },
  { lo: 1, hi: 4 },
]
const OPERATORS: readonly BinaryOp[] = ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '<', '<=', '>', '>=', '==', '!=', '&&', '||']
const CHECKS: readonly Check[] = [
  check('warn', 'w'),
  check('bug', 'b', true),
  check('always', 'a'),
  check('finally', 'f'),
  check('eventually', 'e'),
  check('race', 'r'),
]

/** An expression; reads of columns and locals only where they are allowed. */
function expression(depth: number, columns: boolean, locals: boolean): fc.Arbitrary<Expr> {
  const leaves: fc.Arbitrary<Expr>[] = [fc.integer({ min: -3, max: 4 }).map(k)]
  if (locals) leaves.push(fc.nat(LOCALS.length - 1).map(l))
  if (columns) leaves.push(fc.tuple(fc.nat(SEEN - 1), fc.nat(20)).map(([c, i]) => read(c, k(i % COLUMNS[c].cells))))
  if (depth === 0) return fc.oneof(...leaves)
  const inner = expression(depth - 1, columns, locals)
  return fc.oneof(
    ...leaves,
    fc.tuple(inner, fc.constantFrom(...OPERATORS), inner).map(([a, o, b]) => op(a, o, b)),
    inner.map(not),
    inner.map((a): Expr => ({ e: 'neg', a })),
    fc.tuple(inner, inner, inner).map(([c, a, b]): Expr => ({ e: 'cond', c, a, b })),
    ...(columns ? [fc.tuple(fc.nat(SEEN - 1), inner).map(([c, i]) => read(c, within(i, 0, COLUMNS[c].cells - 1)))] : []),
  )
}

/** Brings any value into a range. */
function within(value: Expr, lo: number, hi: number): Expr {
  const size = k(hi - lo + 1)
  return op(op(op(op(value, '%', size), '+', size), '%', size), '+', k(lo))
}

interface Draft {
  readonly line: Line
  readonly access: boolean
  readonly jump: number
}

function draft(guards: boolean): fc.Arbitrary<Draft> {
  const pure = expression(2, false, true)
  const shared = expression(2, true, true)
  const column_ = fc.nat(SEEN - 1)
  const some = (lines: fc.Arbitrary<Line>, access: boolean): fc.Arbitrary<Draft> =>
    fc.tuple(lines, fc.nat(1000)).map(([line, jump]) => ({ line, access, jump }))
  const index = (c: number, i: Expr): Expr => within(i, 0, COLUMNS[c].cells - 1)
  const into = (dst: number, value: Expr): Expr => within(value, LOCALS[dst].lo, LOCALS[dst].hi)
  const load = fc.tuple(column_, pure)
  const drafts: fc.Arbitrary<Draft>[] = [
    some(
      fc.tuple(fc.nat(LOCALS.length - 1), pure, fc.boolean()).map(([dst, value, progress]): Line => ({ op: 'assign', dst, value: into(dst, value), progress })),
      false,
    ),
    // Into a local of its own, wide enough for every column.
    some(
      load.map(([c, i]): Line => ({ op: 'load', dst: LOCALS.length, column: c, index: index(c, i) })),
      true,
    ),
    some(
      fc.tuple(column_, pure, pure).map(([c, i, v]): Line => ({ op: 'store', column: c, index: index(c, i), value: within(v, COLUMNS[c].lo, COLUMNS[c].hi) })),
      true,
    ),
    some(
      fc
        .tuple(column_, pure, shared)
        .map(([c, i, v]): Line => ({ op: 'store', column: c, index: index(c, i), value: within(v, COLUMNS[c].lo, COLUMNS[c].hi), access: false })),
      false,
    ),
    some(fc.constant<Line>({ op: 'step' }), true),
    some(
      fc
        .tuple(fc.constantFrom(0, LOCALS.length), fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean())
        .map(([dst, count, failure, attached]): Line => ({ op: 'choose', dst, count, failure, attached })),
      false,
    ),
    some(
      fc.tuple(fc.nat(1), shared).map(([c, fails]): Line => ({ op: 'check', check: c, fails: op(op(fails, '&', k(7)), '==', k(5)) })),
      false,
    ),
    some(
      shared.map((cond): Line => ({ op: 'branch', cond, then: '' })),
      false,
    ),
  ]
  if (guards)
    drafts.push(
      some(
        fc.tuple(shared, shared, fc.nat(2)).map(([cond, sleepsUntil, w]): Line => ({ op: 'step', guard: { cond, sleepsUntil, waitsFor: k(w), what: 'wait' } })),
        true,
      ),
    )
  return fc.oneof(...drafts)
}

/** Programs of two or three threads. */
export const randomProgram: fc.Arbitrary<Program> = fc
  .record({
    bodies: fc.array(fc.array(draft(true), { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 3 }),
    conditions: fc.array(expression(2, true, false), { minLength: 4, maxLength: 4 }),
    guarded: fc.subarray([0, 1, 2]),
  })
  .map(({ bodies, conditions, guarded }) => {
    const threads = bodies.map((body, t) => {
      const lines: Line[] = body.flatMap(({ line, jump }, i): Line[] => {
        const label: Line = { at: `n${i}` }
        if (!('op' in line) || line.op !== 'branch') return [label, line]
        // Forwards anywhere, backwards only to an access: no loop without one.
        const forward = i + 1 + (jump % (body.length - i))
        const backward = body.findIndex((other, b) => b < i && other.access && jump % 3 === 0)
        return [label, { ...line, then: `n${backward >= 0 ? backward : forward}` }]
      })
      const locals = [...LOCALS, { lo: -2, hi: 6 }].map(({ lo, hi }, i) => local(`x${i}`, lo, hi))
      return thread(`t${t}`, locals, [...lines, { at: `n${body.length}` }, { op: 'end' }])
    })
    const [always, atEnd, eventually, sometimes] = conditions
    const named = (name: string, cond: Expr) => ({ name, cond, at: position(name) })
    return {
      ...program({
        columns: COLUMNS.map(({ cells, lo, hi }, i) =>
          column(
            `c${i}`,
            lo,
            hi,
            Array.from({ length: cells }, () => Math.max(lo, 0)),
          ),
        ),
        threads,
        guarded,
        properties: {
          always: [{ ...named('a', op(op(always, '&', k(7)), '!=', k(5))), check: 2 }],
          finally: [{ ...named('f', atEnd), check: 3 }],
          eventually: [{ ...named('e', eventually), check: 4, seen: SEEN }],
          sometimes: [named('s', sometimes)],
        },
      }),
      checks: [...CHECKS, ...HANG_CHECKS],
    }
  })
