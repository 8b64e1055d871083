/**
 * Get, put, allocation and free of device pages, one shared access a step: the model that SPIN, TLC and Stateright agree on
 * (285,098 states with 3 cpus and 3 pages, 5,005,376 with 4 pages).
 *
 * They do not offer the allocation of a page that is not free; here it is a step that returns at once, so that each such state has
 * one more transition for every cpu and page.
 */
import type { Program } from '../../src/ir/program.ts'
import { check, column, k, type Line, l, local, not, op, program, read, thread } from './build-program.ts'

const [REF, ONFREE, MAPPING] = [0, 1, 2]
const [PG, R, HELD, KIND] = [0, 1, 2, 3]

/** With `bug` the count is taken by a plain store: a lost update. */
export function pageref(cpus: number, pages: number, bug = false): Program {
  const zeros = Array.from({ length: pages }, () => 0)
  const bit = op(k(1), '<<', l(PG))
  const ref = read(REF, l(PG))
  const hold: Line = { op: 'assign', dst: HELD, value: op(l(HELD), '|', bit) }
  const lines: Line[] = [
    { at: 'idle' },
    { op: 'choose', dst: PG, count: pages },
    { op: 'branch', cond: op(op(l(HELD), '&', bit), '!=', k(0)), then: 'put' },
    { op: 'choose', dst: KIND, count: 2 },
    { op: 'branch', cond: l(KIND), then: 'alloc' },
    { op: 'load', dst: R, column: REF, index: l(PG) },
    { op: 'branch', cond: op(l(R), '==', k(0)), then: 'return', else: 'cas' },

    { at: 'cas' },
    { op: 'step' },
    ...(bug
      ? []
      : ([
          { op: 'branch', cond: op(ref, '==', l(R)), then: 'win' },
          { op: 'load', dst: R, column: REF, index: l(PG), access: false },
          { op: 'branch', cond: op(l(R), '==', k(0)), then: 'return', else: 'cas' },
        ] as Line[])),
    { at: 'win' },
    { op: 'store', column: REF, index: l(PG), value: op(l(R), '+', k(1)), access: false },
    { ...hold, next: 'use' },

    { at: 'use' },
    { op: 'step' },
    { op: 'check', check: 0, fails: read(ONFREE, l(PG)), next: 'return' },

    { at: 'put' },
    { op: 'step', guard: { cond: k(1), what: 'put' } },
    { op: 'check', check: 1, fails: op(ref, '<=', k(0)) },
    { op: 'store', column: REF, index: l(PG), value: op(ref, '-', k(1)), access: false },
    { op: 'assign', dst: HELD, value: op(l(HELD), '&', op(bit, '^', k(-1))) },
    { op: 'branch', cond: op(ref, '==', k(0)), then: 'free', else: 'return' },
    { at: 'free' },
    { op: 'store', column: MAPPING, index: l(PG), value: k(0) },
    { op: 'step' },
    { op: 'check', check: 2, fails: op(op(ref, '!=', k(0)), '||', read(ONFREE, l(PG))) },
    { op: 'store', column: ONFREE, index: l(PG), value: k(1), access: false, next: 'return' },

    { at: 'alloc' },
    { op: 'step' },
    { op: 'branch', cond: not(read(ONFREE, l(PG))), then: 'return' },
    { op: 'store', column: ONFREE, index: l(PG), value: k(0), access: false },
    { op: 'store', column: MAPPING, index: l(PG), value: k(1) },
    { op: 'step' },
    { op: 'check', check: 3, fails: op(ref, '!=', k(0)) },
    { op: 'store', column: REF, index: l(PG), value: k(1), access: false },
    { ...hold, next: 'use' },

    { at: 'return' },
    { op: 'assign', dst: KIND, value: k(0), progress: true, next: 'idle' },
  ]
  const locals = [local('pg', 0, pages - 1), local('r', 0, cpus), local('held', 0, (1 << pages) - 1), local('kind', 0, 1)]
  return program({
    columns: [
      column('ref', 0, cpus, zeros),
      column(
        'onfree',
        0,
        1,
        zeros.map(() => 1),
      ),
      column('mapping', 0, 1, zeros),
    ],
    threads: Array.from({ length: cpus }, (_, i) => thread(`cpu${i}`, locals, lines, 0)),
    checks: [check('use-after-free', 'use', true), check('bug', 'underflow', true), check('bug', 'free', true), check('bug', 'alloc', true)],
  })
}
