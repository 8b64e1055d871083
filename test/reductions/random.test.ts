// The reductions on random programs: whatever a thread does with state of its own, with state nobody reads, under a lock, or
// in the shadow of an access (ghost state, checks), every check keeps its verdict.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fuse } from '../../src/engine/fuse.ts'
import type { Expr, Node, Program, Thread } from '../../src/ir/program.ts'
import { prune } from '../../src/ir/prune.ts'
import { check, column, k, type Line, l, local, not, op, position, program, read, thread } from '../engine/build-program.ts'
import { randomProgram } from '../engine/random-program.ts'
import { exact, failed, verdicts } from '../model/models.ts'

/** A lock; what it guards; state of each thread's own; state nobody reads; shared state; memory that goes; ghost state; a constant. */
const [LOCK, GUARDED, OWN, UNREAD, FREE, MEMORY, GHOST, CONSTANT] = [0, 1, 2, 4, 5, 6, 7, 8]
const [WARN, BUG, GONE, RACE, SMALL, TOGETHER] = [0, 1, 2, 3, 4, 5]

/** Code of a thread; labels inside begin with `label`. */
type Segment = (me: number, label: string) => Line[]

const lock = (me: number): Line[] => [
  { op: 'step', guard: { cond: not(read(LOCK)), waitsFor: read(LOCK), what: 'lock' } },
  { op: 'store', column: LOCK, value: k(me + 1), access: false },
]
const unlock: Line[] = [{ op: 'store', column: LOCK, value: k(0) }]
const used: Line = { op: 'check', check: GONE, fails: op(read(MEMORY), '==', k(1)) }
const next = (value: Expr): Expr => op(op(value, '+', k(1)), '&', k(3))

const wait = (n: number): Line => ({ op: 'step', guard: { cond: op(read(FREE), '==', k(n)), sleepsUntil: k(0), what: 'wait' } })

/** What may come after an access and belongs to it. */
const shadow: fc.Arbitrary<Segment> = fc.oneof(
  fc.constant<Segment>(() => []),
  fc.constant<Segment>(() => [used]),
  fc.constant<Segment>(() => [{ op: 'assign', dst: 1, value: l(0) }, used]),
  fc.constant<Segment>(() => [{ op: 'load', dst: 1, column: CONSTANT, access: false }, used]),
  fc.constant<Segment>(() => [{ op: 'store', column: GHOST, value: next(read(GHOST)), access: false }]),
  fc.constant<Segment>((_, label) => [{ op: 'branch', cond: op(l(0), '>', k(1)), then: `${label}over` }, used, { at: `${label}over` }]),
  fc.nat(3).map(
    (n): Segment =>
      () => [{ op: 'check', check: n % 2 === 0 ? WARN : BUG, fails: op(l(0), '==', k(n)) }],
  ),
)

const access: fc.Arbitrary<Segment> = fc
  .tuple(
    fc.constantFrom<Segment>(
      (me) => [{ op: 'load', dst: 0, column: OWN + me }],
      (me) => [{ op: 'store', column: OWN + me, value: next(l(0)) }],
      () => [{ op: 'store', column: UNREAD, value: l(0) }],
      () => [{ op: 'load', dst: 2, column: FREE }],
      () => [{ op: 'load', dst: 0, column: FREE }],
      () => [{ op: 'store', column: FREE, value: l(0) }],
      (me) => [{ op: 'store', column: FREE, value: k(me + 2) }],
      (me) => [{ op: 'step' }, { op: 'store', column: OWN + me, value: next(read(OWN + me)), access: false }],
      () => [{ op: 'step' }, { op: 'store', column: UNREAD, value: l(1), access: false }],
      () => [{ op: 'step' }, { op: 'store', column: FREE, value: next(read(FREE)), access: false }],
      () => [{ op: 'choose', dst: 0, count: 2 }],
      // The memory goes when the other thread has come so far, as after a last put.
      (me) => (me === 1 ? [wait(2), { op: 'store', column: MEMORY, value: k(1) }] : []),
      (me) => (me === 1 ? [wait(2), { op: 'store', column: GHOST, value: k(1) }] : []),
      () => [{ op: 'step', guard: { cond: op(read(FREE), '>', k(0)), sleepsUntil: op(read(FREE), '>', k(1)), what: 'sleep' } }],
    ),
    shadow,
  )
  .map(
    ([first, after]): Segment =>
      (me, label) => [...first(me, label), ...after(me, label)],
  )

/** Others see something, then comes what nobody sees, with its shadow: their turn is between the two. */
const published: fc.Arbitrary<Segment> = fc
  .tuple(
    fc.constantFrom<Segment>(
      (me) => [{ op: 'load', dst: 0, column: OWN + me }],
      (me) => [{ op: 'store', column: OWN + me, value: k(1) }],
      () => [{ op: 'store', column: UNREAD, value: k(1) }],
      (me) => [...lock(me), { op: 'load', dst: 0, column: GUARDED }],
    ),
    shadow,
    fc.boolean(),
  )
  .map(
    ([unseen, after, ends]): Segment =>
      (me, label) => {
        const first = unseen(me, label)
        return [
          { op: 'store', column: FREE, value: k(me + 2) },
          ...first,
          ...after(me, label),
          ...(ends ? ([{ op: 'check', check: BUG, fails: op(l(0), '>', k(0)) }] as Line[]) : []),
          ...(first.length > 1 ? unlock : []),
        ]
      },
  )

const guarded: fc.Arbitrary<Segment> = fc.tuple(fc.boolean(), shadow).map(
  ([store, after]): Segment =>
    (me, label) => [
      store ? { op: 'store', column: GUARDED, value: next(l(0)) } : { op: 'load', dst: 0, column: GUARDED },
      { op: 'check', check: RACE, fails: op(read(LOCK), '!=', k(me + 1)) },
      ...after(me, label),
    ],
)

const critical: fc.Arbitrary<Segment> = fc
  .array(fc.oneof(guarded, guarded, access), { minLength: 1, maxLength: 4 })
  .map((inside) => (me, label) => [...lock(me), ...inside.flatMap((one, i) => one(me, `${label}.${i}`)), ...unlock])

/** A step owns the accesses in it: to the first node after it that is none of its own. */
function withBodies(one: Thread): Thread {
  const nodes = one.nodes.map((node, n): Node => {
    if (node.op !== 'step' || node.guard) return node
    let until = n + 1
    for (;;) {
      const own = one.nodes[until]
      if ((own.op !== 'load' && own.op !== 'store') || own.access) return until === n + 1 ? node : { ...node, until }
      until++
    }
  })
  return { ...one, nodes }
}

const disciplined: fc.Arbitrary<Program> = fc
  .array(fc.array(fc.oneof(critical, access, published), { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 2 })
  .map(built)

/** The program of two threads that do these things one after the other. */
function built(bodies: readonly (readonly Segment[])[]): Program {
  return program({
    columns: [
      column('lock', 0, 2, [0]),
      column('guarded', 0, 3, [0]),
      ...bodies.map((_, me) => column(`own${me}`, 0, 3, [me])),
      column('unread', 0, 3, [0]),
      column('free', 0, 3, [0]),
      column('memory', 0, 1, [0]),
      column('ghost', 0, 3, [0]),
      column('constant', 0, 3, [2]),
    ],
    threads: bodies.map((segments, me) =>
      withBodies(thread(`t${me}`, [local('a', 0, 3), local('b', 0, 3), local('c', 0, 3)], [...segments.flatMap((one, i) => one(me, `s${i}`)), { op: 'end' }])),
    ),
    checks: [
      check('warn', 'w'),
      check('bug', 'b', true),
      check('use-after-free', 'u', true),
      check('race', 'r'),
      check('always', 'small'),
      check('always', 'together'),
    ],
    properties: {
      always: [
        { name: 'small', cond: op(read(FREE), '<', k(3)), at: position('small'), check: SMALL },
        { name: 'together', cond: not(op(op(read(FREE), '==', k(1)), '&&', op(read(GHOST), '==', k(1)))), at: position('together'), check: TOGETHER },
      ],
    },
    guarded: [GUARDED],
  })
}

test('leaving out what no thread can notice keeps the verdict of every check of any program', async () => {
  let fewer = 0
  await fc.assert(
    fc.asyncProperty(randomProgram, async (one) => {
      const pruned = prune(one)
      if (pruned === one) return
      const [plain, reduced] = [await exact(one), await exact(pruned)]
      assert.deepEqual(verdicts(reduced), verdicts(plain))
      if (reduced.states < plain.states) fewer++
    }),
    { numRuns: 600 },
  )
  assert.ok(fewer > 20, `${fewer} have fewer states`)
})

test('leaving out, and taking accesses under a lock together, keep the verdict of every check of a program that keeps to its locks', async () => {
  let fewer = 0
  await fc.assert(
    fc.asyncProperty(disciplined, async (one) => {
      const plain = await exact(one)
      for (const reduced of [await exact(one, { grain: 'lock' }), await exact(prune(one)), await exact(fuse(one))]) {
        assert.deepEqual(verdicts(reduced), verdicts(plain))
        if (reduced.states < plain.states) fewer++
      }
    }),
    { numRuns: 600 },
  )
  assert.ok(fewer > 300, `${fewer} have fewer states`)
})

/** What a reduction of this program must not change. */
async function assertKept(one: Program): Promise<void> {
  const plain = await exact(one)
  for (const reduced of [await exact(one, { grain: 'lock' }), await exact(prune(one)), await exact(fuse(one))])
    assert.deepEqual(verdicts(reduced), verdicts(plain))
}

test('memory that goes after a last put is still used by code behind an access that nobody notices', async () => {
  const put: Segment = () => [{ op: 'store', column: FREE, value: k(2) }]
  const release: Segment = () => [wait(2), { op: 'store', column: MEMORY, value: k(1) }]
  for (const unseen of [OWN, UNREAD]) {
    for (const between of [[], [{ op: 'load', dst: 1, column: CONSTANT, access: false }], [{ op: 'assign', dst: 1, value: k(2) }]] as Line[][]) {
      const one = built([[put, () => [{ op: 'store', column: unseen, value: k(1) }, ...between, used]], [release]])
      assert.ok(failed(await exact(one)).includes('use-after-free:u'))
      await assertKept(one)
    }
  }
})

test('what others could see before a path ends at a fatal check is still seen', async () => {
  const dies: Segment = (me) => [
    { op: 'store', column: FREE, value: k(3) },
    { op: 'store', column: OWN + me, value: k(1) },
    { op: 'check', check: BUG, fails: k(1) },
  ]
  const one = built([[dies], []])
  assert.ok(failed(await exact(one)).includes('always:small'))
  await assertKept(one)
})

test('what a thread changes before its first access is seen when that access is made, though nobody notices the access', async () => {
  const begins: Segment = () => [
    { op: 'store', column: GHOST, value: k(1), access: false },
    { op: 'load', dst: 1, column: FREE },
    { op: 'store', column: GHOST, value: k(0) },
  ]
  const sets: Segment = () => [{ op: 'store', column: FREE, value: k(1) }]
  const one = built([[begins], [sets]])
  assert.ok(failed(await exact(one)).includes('always:together'))
  await assertKept(one)
})
