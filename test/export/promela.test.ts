import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPromela } from '../../src/export/promela.ts'
import type { Expr, Program } from '../../src/ir/program.ts'
import { countStates } from './count.ts'
import { bin, cell, check, column, guard, int, load, local, not, nowhere, program, thread, variable } from './programs.ts'
import { QUICK, runSpin } from './spin.ts'

/** SPIN's count must be ours, exactly: active processes exist in SPIN's initial state, so it has none of its own. */
function assertSameCount(model: Program): void {
  const ours = countStates(model)
  const text = toPromela(model)
  const { states, transitions, errors, output } = runSpin(text, QUICK)
  assert.ok(ours)
  assert.deepEqual({ states, transitions, errors }, { states: ours.states, transitions: ours.transitions, errors: 0 }, `${text}\n${output}`)
}

/** Two CPUs take and give back a reference with load and compare-and-swap; a driver waits for the count to be 1. */
function references(): Program {
  const getter = (name: string) =>
    thread(
      name,
      [variable('get.count'), variable('get.ok'), variable('get.page', 0, 1)],
      [
        { op: 'choose', dst: 2, count: 2, failure: false },
        { op: 'load', dsts: [0], places: [cell(0, local(2))], access: true },
        { op: 'branch', cond: bin('==', local(0), int(0)), then: 10, else: 3 },
        { op: 'step' },
        { op: 'assign', dst: 1, value: bin('==', load(0, local(2)), local(0)) },
        { op: 'branch', cond: local(1), then: 6, else: 7 },
        { op: 'store', places: [cell(0, local(2))], values: [bin('+', local(0), int(1))], access: false },
        { op: 'branch', cond: local(1), then: 8, else: 1 },
        { op: 'check', check: 0, fails: load(1, local(2)) },
        { op: 'store', places: [cell(0, local(2))], values: [int(1)], access: true, next: 10 },
        { op: 'end' },
      ],
    )
  const driver = thread(
    'driver',
    [],
    [
      { op: 'step', guard: guard(bin('==', load(0), int(1)), { sleepsUntil: bin('==', load(0), int(1)) }) },
      { op: 'store', places: [cell(1)], values: [int(1)], access: false },
      { op: 'store', places: [cell(0)], values: [bin('-', load(0), int(1))], access: true },
      { op: 'end' },
    ],
  )
  return program([column('_refcount', [2, 1]), column('busy', [0, 0], [0, 1])], [getter('gup'), getter('gup'), driver], [check('warn', false)])
}

/** A thread whose fatal check depends on a choice, on a value it has stored before, and on the other thread. */
function fatal(): Program {
  const writer = (name: string, value: number) =>
    thread(
      name,
      [variable('w.pick', 0, 2), variable('w.old')],
      [
        { op: 'choose', dst: 0, count: 3, failure: false },
        { op: 'step' },
        { op: 'check', check: 0, fails: bin('>', local(0), int(1)) },
        {
          op: 'store',
          places: [cell(0, local(0)), cell(0, bin('-', int(1), local(0)))],
          values: [bin('+', load(0, bin('-', int(1), local(0))), int(value)), load(0, local(0))],
          access: false,
        },
        { op: 'check', check: 1, fails: bin('>', load(0, int(0)), int(7)) },
        { op: 'load', dsts: [1], places: [cell(0, local(0))], access: true },
        { op: 'branch', cond: bin('<', local(1), int(6)), then: 0, else: 7 },
        { op: 'end' },
      ],
    )
  return program([column('_mapcount', [1, 0])], [writer('one', 1), writer('two', 2)], [check('bug', true), check('use-after-free', true)])
}

/** Two threads take two locks in opposite orders, or in the same. */
function locks(opposite: boolean): Program {
  const waitsFor = (lock: number): { waitsFor: Expr } => ({ waitsFor: load(lock) })
  const locker = (name: string, first: number, self: number) =>
    thread(
      name,
      [],
      [
        { op: 'step', guard: guard(not(load(first)), waitsFor(first)) },
        { op: 'store', places: [cell(first)], values: [int(self)], access: false },
        { op: 'step', guard: guard(not(load(1 - first)), waitsFor(1 - first)) },
        { op: 'store', places: [cell(1 - first)], values: [int(self)], access: false },
        { op: 'store', places: [cell(1 - first)], values: [int(0)], access: true },
        { op: 'store', places: [cell(first)], values: [int(0)], access: true },
        { op: 'end' },
      ],
    )
  return program(
    [column('lock', [0], [0, 2]), column('other', [0], [0, 2])],
    [locker('a', 0, 1), locker('b', opposite ? 1 : 0, 2)],
    [check('deadlock', false), check('sleeps', false), check('lost-wake', false)],
  )
}

test('references: SPIN counts the same states and transitions', () => assertSameCount(references()))

/** A thread with two locals of one name, live together or one after the other; what it reads differs, so a mix-up shows. */
function sameName(together: boolean): Program {
  const reader = thread(
    'reader',
    [variable('get.count'), variable('get.count')],
    [
      { op: 'load', dsts: [0], places: [cell(0, int(0))], access: true },
      ...(together ? [] : [{ op: 'store', places: [cell(1, int(0))], values: [local(0)], access: true } as const]),
      { op: 'load', dsts: [1], places: [cell(0, int(1))], access: true },
      { op: 'store', places: [cell(1, int(1))], values: [bin('+', local(1), together ? local(0) : int(0))], access: true },
      { op: 'end' },
    ],
  )
  const writer = thread('writer', [], [{ op: 'store', places: [cell(0, int(1))], values: [int(5)], access: true }, { op: 'end' }])
  return program([column('_refcount', [3, 4]), column('seen', [0, 0])], [reader, writer], [check('warn', false)])
}

test('locals of one name share a variable unless they are live together', () => {
  assert.equal(toPromela(sameName(false)).match(/byte get_count/g)?.length, 1)
  assert.equal(toPromela(sameName(true)).match(/byte get_count/g)?.length, 2)
  assertSameCount(sameName(false))
  assertSameCount(sameName(true))
})

test('a fatal check ends the path: the transition is not there', () => {
  const model = fatal()
  const text = toPromela(model)
  assert.ok(!text.includes('end_dead'), 'every fatal check became a precondition')
  assert.ok((countStates(model)?.ended ?? 0) > 0)
  assertSameCount(model)
})

test('locks: a hang is no error when counting', () => {
  assertSameCount(locks(true))
  assertSameCount(locks(false))
})

test('the verdict of every check is that of the interpreter', () => {
  for (const model of [references(), fatal()]) {
    const ours = countStates(model)
    for (const { id } of model.checks) {
      const { errors, output } = runSpin(toPromela(model, { check: id }), QUICK)
      assert.equal(errors > 0, ours?.failed.has(id), `${id}\n${output}`)
    }
  }
})

test('of several checks an assertion fails if one of them does', () => {
  const model = locks(true)
  const [failing, ...others] = model.checks.map(({ id }) => id)
  const errors = (check: readonly string[]): number => runSpin(toPromela(model, { check }), QUICK).errors
  assert.equal(failing, 'deadlock:test')
  assert.deepEqual([errors([failing, ...others]), errors([...others, failing]), errors(others)], [1, 1, 0])
})

test('hangs: deadlock, sleep and lost wake are told apart', () => {
  const verdicts = (model: Program): number[] => model.checks.map(({ id }) => runSpin(toPromela(model, { check: id }), QUICK).errors)
  assert.deepEqual(verdicts(locks(true)), [1, 0, 0])
  assert.deepEqual(runSpin(toPromela(locks(true), { check: 'all' }), QUICK).failed, ['deadlock:test'])
  assert.deepEqual(verdicts(locks(false)), [0, 0, 0])
  const sleeper = (condition: number): Program =>
    program(
      [column('woken', [0], [0, 1])],
      [thread('sleeper', [], [{ op: 'step', guard: guard(load(0), { sleepsUntil: int(condition) }) }, { op: 'end' }])],
      [check('sleeps', false), check('lost-wake', false)],
    )
  assert.deepEqual(verdicts(sleeper(0)), [1, 0])
  assert.deepEqual(verdicts(sleeper(1)), [0, 1])
})

test('a path that a fatal check ended is not a hang', () => {
  const waiter = thread('waiter', [], [{ op: 'step', guard: guard(load(0)) }, { op: 'end' }])
  const dying = thread('dying', [], [{ op: 'step' }, { op: 'check', check: 1, fails: not(load(0)) }, { op: 'end' }])
  const model = program([column('go', [0], [0, 1])], [waiter, dying], [check('deadlock', false), check('bug', true)])
  assert.equal(runSpin(toPromela(model, { check: 'deadlock:test' }), QUICK).errors, 0)
  assert.equal(runSpin(toPromela(model, { check: 'bug:test' }), QUICK).errors, 1)
})

test('properties become assertions, also in the initial state and at the end', () => {
  const adder = thread('adder', [], [{ op: 'store', places: [cell(0)], values: [bin('+', load(0), int(1))], access: true }, { op: 'end' }])
  const cases = [
    ['always', bin('<', load(0), int(2)), 1],
    ['always', bin('<', load(0), int(3)), 0],
    ['always', bin('>', load(0), int(0)), 1],
    ['finally', bin('==', load(0), int(2)), 0],
    ['finally', bin('==', load(0), int(1)), 1],
    ['eventually', bin('==', load(0), int(1)), 0],
    ['eventually', bin('==', load(0), int(3)), 1],
  ] as const
  for (const [kind, cond, errors] of cases) {
    const property = { name: kind, cond, at: nowhere, check: 0, seen: 1 }
    const model = program([column('count', [0]), column('seen', [0], [0, 1], { ghost: true })], [adder, adder], [check(kind, false)], { [kind]: [property] })
    assertSameCount(model)
    assert.equal(runSpin(toPromela(model, { check: `${kind}:test` }), QUICK).errors, errors, kind)
  }
})

test('a loop with a fatal check in it goes to a sink', () => {
  const looper = thread(
    'looper',
    [variable('i')],
    [
      { op: 'step' },
      { op: 'check', check: 0, fails: bin('>', bin('+', local(0), load(0)), int(3)) },
      { op: 'assign', dst: 0, value: bin('+', local(0), int(1)) },
      { op: 'branch', cond: bin('<', local(0), int(3)), then: 1, else: 4 },
      { op: 'store', places: [cell(0)], values: [int(2)], access: true },
      { op: 'end' },
    ],
  )
  const model = program([column('base', [0])], [looper, looper], [check('bug', true)])
  const text = toPromela(model)
  assert.ok(text.includes('end_dead'))
  const ours = countStates(model)
  const spin = runSpin(text)
  assert.ok(ours && ours.ended > 0)
  // One way for each thread to die first, with the other before its step, after it, or at its end.
  assert.ok(spin.states > ours.states && spin.states <= ours.states + 6, spin.output)
  assert.equal(spin.transitions, ours.transitions + ours.ended)
  assert.equal(runSpin(toPromela(model, { check: 'bug:test' }), QUICK).errors, 1)
})

test('what cannot be exported is refused', () => {
  const model = program([], [thread('t', [], [{ op: 'end' }])], [check('livelock', false)])
  assert.throws(() => toPromela(model, { check: 'livelock:test' }), /livelock/)
  assert.throws(() => toPromela(model, { check: 'nothing' }), /"nothing"/)
  assertSameCount(model)
})
