import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explore } from '../../src/engine/explore.ts'
import { fuse } from '../../src/engine/fuse.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import type { Program } from '../../src/ir/program.ts'
import { check, column, k, type Line, l, local, not, op, position, program, read, thread } from './build-program.ts'

/** Two locks, two columns that the first lock guards, and one that anybody may touch. */
const [LOCKS, GUARDED, ALSO, FREE] = [0, 1, 2, 3]

const lock = (which: number, me: number): Line[] => [
  { op: 'step', guard: { cond: not(read(LOCKS, k(which))), waitsFor: read(LOCKS, k(which)), what: `lock(${which})` } },
  { op: 'store', column: LOCKS, index: k(which), value: k(me + 1), access: false },
]
const unlock = (which: number): Line[] => [{ op: 'store', column: LOCKS, index: k(which), value: k(0) }]

type Segment = (me: number, label: string) => Line[]

/** What may be done anywhere: local computation, the free column, a check, a choice, a sleep, the second lock. */
const anywhere: fc.Arbitrary<Segment> = fc.oneof(
  fc.nat(2).map(
    (n): Segment =>
      () => [{ op: 'check', check: n % 2, fails: op(l(0), '==', k(n + 1)) }],
  ),
  fc.constant<Segment>(() => [{ op: 'load', dst: 1, column: FREE }]),
  fc.constant<Segment>(() => [{ op: 'store', column: FREE, value: l(0) }]),
  fc.constant<Segment>(() => [{ op: 'choose', dst: 0, count: 2 }]),
  fc.nat(3).map(
    (n): Segment =>
      () => [{ op: 'step', guard: { cond: op(read(FREE), '>=', k(n)), sleepsUntil: op(read(FREE), '>', k(0)), what: 'sleep' } }],
  ),
  fc.constant<Segment>((me) => [...lock(1, me), ...unlock(1)]),
  fc.constant<Segment>((_, label) => [{ op: 'branch', cond: op(l(0), '>', l(1)), then: label }, { op: 'assign', dst: 1, value: l(0) }, { at: label }]),
)

const guarded: fc.Arbitrary<Segment> = fc.oneof(
  fc.constantFrom(GUARDED, ALSO).map(
    (c): Segment =>
      () => [{ op: 'load', dst: 0, column: c }],
  ),
  fc.constantFrom(GUARDED, ALSO).map(
    (c): Segment =>
      () => [{ op: 'store', column: c, value: op(op(l(0), '+', k(1)), '&', k(3)) }],
  ),
  anywhere,
)

const critical: fc.Arbitrary<Segment> = fc.array(guarded, { minLength: 1, maxLength: 4 }).map((inside) => (me, label) => [
  ...lock(0, me),
  // Sometimes round and round until the guarded column allows to go on.
  { at: `${label}top` } as Line,
  ...inside.flatMap((segment, i) => segment(me, `${label}.${i}`)),
  ...(inside.length === 3
    ? ([
        { op: 'load', dst: 0, column: GUARDED },
        { op: 'branch', cond: not(l(0)), then: `${label}top` },
      ] as Line[])
    : []),
  ...unlock(0),
])

const disciplined: fc.Arbitrary<Program> = fc
  .array(fc.array(fc.oneof(critical, anywhere), { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 2 })
  .map((bodies) =>
    program({
      columns: [column('lock', 0, 2, [0, 0]), column('guarded', 0, 3, [0]), column('also', 0, 3, [1]), column('free', 0, 3, [0])],
      threads: bodies.map((segments, me) =>
        thread(`t${me}`, [local('a', 0, 3), local('b', 0, 3)], [...segments.flatMap((segment, i) => segment(me, `s${i}`)), { op: 'end' }]),
      ),
      checks: [check('warn', 'one'), check('bug', 'two', true), check('always', 'free is small')],
      properties: { always: [{ name: 'free is small', cond: op(read(FREE), '<', k(3)), at: position('free'), check: 2 }] },
      guarded: [GUARDED, ALSO],
    }),
  )

function outcomes(result: Exploration): string[] {
  return result.checks.map((one) => `${result.program.checks[one.check].id} ${one.outcome}`)
}

test('both grains give the same verdict for every check', async () => {
  let fewer = 0
  await fc.assert(
    fc.asyncProperty(disciplined, async (program_) => {
      if (fuse(program_) === program_) return
      const fine = await explore(program_, { jobs: 1, grain: 'access' })
      const coarse = await explore(program_, { jobs: 1, grain: 'lock' })
      assert.equal(coarse.grain, 'lock')
      assert.deepEqual(outcomes(coarse), outcomes(fine))
      assert.ok(coarse.states <= fine.states)
      if (coarse.states < fine.states) fewer++
    }),
    { numRuns: 300 },
  )
  assert.ok(fewer > 50, 'fusing saves states')
})

test('what others can see does not vanish with a path that a fatal check ends', async () => {
  const body: Line[] = [
    ...lock(0, 0),
    { op: 'store', column: FREE, value: k(3) },
    { op: 'load', dst: 0, column: GUARDED },
    { op: 'check', check: 0, fails: k(1) },
    ...unlock(0),
    { op: 'end' },
  ]
  const program_ = program({
    columns: [column('lock', 0, 2, [0, 0]), column('guarded', 0, 3, [0]), column('also', 0, 3, [1]), column('free', 0, 3, [0])],
    threads: [thread('t', [local('a', 0, 3)], body)],
    checks: [check('bug', 'ends', true), check('always', 'free is small')],
    properties: { always: [{ name: 'free is small', cond: op(read(FREE), '<', k(3)), at: position('free'), check: 1 }] },
    guarded: [GUARDED, ALSO],
  })
  assert.deepEqual(outcomes(await explore(program_, { grain: 'lock' })).slice(0, 2), ['bug:ends violation', 'always:free is small violation'])
})
