import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explore } from '../../src/engine/explore.ts'
import type { Counterexample, Exploration } from '../../src/engine/verdict.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Program } from '../../src/ir/program.ts'
import { DONE } from '../../src/ir/state.ts'
import { check, column, k, type Line, l, local, not, op, position, program, read, thread } from './build-program.ts'
import { randomProgram } from './random-program.ts'

function outcomes(result: Exploration): Record<string, string> {
  return Object.fromEntries(result.checks.map((one) => [result.program.checks[one.check].id, one.outcome]))
}

function counterexample(result: Exploration, id: string): Counterexample {
  const found = result.checks.find((one) => result.program.checks[one.check].id === id)?.counterexample
  assert.ok(found, `${id} has a counterexample`)
  return found
}

/** Takes a lock held by thread + 1, or waits for its holder. */
const lock = (column_: number, me: number): Line[] => [
  { op: 'step', guard: { cond: not(read(column_)), waitsFor: read(column_), what: `lock(${column_})` } },
  { op: 'store', column: column_, value: k(me + 1), access: false },
]

function crossedLocks(): Program {
  const take = (me: number, first: number, second: number): Line[] => [...lock(first, me), ...lock(second, me), { op: 'end' }]
  return program({
    columns: [column('a', 0, 2, [0]), column('b', 0, 2, [0])],
    threads: [thread('one', [], take(0, 0, 1)), thread('two', [], take(1, 1, 0))],
  })
}

/** A sleeper that tests, then sleeps until woken; the waker may come between. */
function lostWake(): Program {
  const [COND, WOKEN] = [0, 1]
  return program({
    columns: [column('cond', 0, 1, [0]), column('woken', 0, 1, [0]), column('asleep', 0, 1, [0])],
    threads: [
      thread(
        'sleeper',
        [local('c', 0, 1)],
        [
          { op: 'load', dst: 0, column: COND },
          { op: 'branch', cond: l(0), then: 'done' },
          { op: 'store', column: 2, value: k(1) },
          { op: 'step', guard: { cond: read(WOKEN), sleepsUntil: read(COND), what: 'wait_event(cond)' } },
          { at: 'done' },
          { op: 'end' },
        ],
      ),
      thread(
        'waker',
        [local('a', 0, 1)],
        [
          { op: 'store', column: COND, value: k(1) },
          { op: 'load', dst: 0, column: 2 },
          { op: 'branch', cond: not(l(0)), then: 'done' },
          { op: 'store', column: WOKEN, value: k(1) },
          { at: 'done' },
          { op: 'end' },
        ],
      ),
    ],
  })
}

/** Two threads that back off as soon as they see one another; with `progress` each round is an operation that returned. */
function polite(progress: boolean): Program {
  const body = (me: number): Line[] => [
    { at: 'again' },
    { op: 'store', column: 0, index: k(me), value: k(1) },
    { op: 'load', dst: 0, column: 0, index: k(1 - me) },
    { op: 'branch', cond: not(l(0)), then: 'in' },
    { op: 'store', column: 0, index: k(me), value: k(0), progress, next: 'again' },
    { at: 'in' },
    { op: 'end' },
  ]
  return program({ columns: [column('wants', 0, 1, [0, 0])], threads: [0, 1].map((me) => thread(`t${me}`, [local('other', 0, 1)], body(me))) })
}

test('finds a deadlock and tells who waits for whom', async () => {
  const result = await explore(crossedLocks())
  assert.equal(result.verdict, 'violation')
  const { steps, waiting } = counterexample(result, 'deadlock:deadlock')
  assert.equal(steps.length, 2)
  assert.deepEqual(waiting, [
    { thread: 0, what: 'lock(1)', on: 1 },
    { thread: 1, what: 'lock(0)', on: 0 },
  ])
})

test('finds a lost wake', async () => {
  const result = await explore(lostWake())
  assert.deepEqual(outcomes(result)['lost-wake:lost-wake'], 'violation')
  assert.deepEqual(outcomes(result)['sleeps:sleeps'], 'pass')
  assert.equal(counterexample(result, 'lost-wake:lost-wake').waiting?.[0].condition, true)
})

test('finds a livelock, unless each round is progress', async () => {
  const result = await explore(polite(false))
  const { steps, cycleFrom } = counterexample(result, 'livelock:livelock')
  assert.ok(cycleFrom !== undefined && cycleFrom < steps.length)
  assert.deepEqual(steps[steps.length - 1].transition.to, steps[cycleFrom].from, 'the cycle is closed')
  assert.deepEqual([...new Set(steps.slice(cycleFrom).map((step) => step.transition.thread))].sort(), [0, 1], 'both threads take part')
  assert.equal((await explore(polite(true))).verdict, 'pass')
})

test('a livelock that a blocked lock holder could end is none', async () => {
  // The spinner waits for a flag that the other thread, always able to move, sets: unfair to let only the spinner run.
  const result = await explore(
    program({
      columns: [column('flag', 0, 1, [0])],
      threads: [
        thread(
          'spinner',
          [local('f', 0, 1)],
          [{ at: 'again' }, { op: 'load', dst: 0, column: 0 }, { op: 'branch', cond: not(l(0)), then: 'again' }, { op: 'end' }],
        ),
        thread('setter', [], [{ op: 'store', column: 0, value: k(1) }, { op: 'end' }]),
      ],
    }),
  )
  assert.equal(result.verdict, 'pass')
})

test('what a fatal check hides is masked', async () => {
  const result = await explore(
    program({
      columns: [column('x', 0, 1, [0])],
      threads: [
        thread('t', [], [{ op: 'step' }, { op: 'check', check: 0, fails: k(1) }, { op: 'step' }, { op: 'check', check: 1, fails: k(1) }, { op: 'end' }]),
      ],
      checks: [check('bug', 'first', true), check('warn', 'second')],
    }),
  )
  assert.deepEqual(outcomes(result)['bug:first'], 'violation')
  assert.equal(counterexample(result, 'bug:first').steps[0].transition.to, null)
  assert.deepEqual(outcomes(result)['warn:second'], 'masked')
  assert.deepEqual(outcomes(result)['deadlock:deadlock'], 'masked', 'a path ended by a fatal check is not hung')
})

test('limits make a search inconclusive', async () => {
  const result = await explore(polite(true), { maxStates: 3 })
  assert.equal(result.verdict, 'inconclusive')
  assert.equal(result.limit, '--max-states 3 reached')
  assert.equal(result.complete, false)
  assert.equal((await explore(polite(true), { maxMemory: 1000 })).verdict, 'inconclusive')
  assert.equal((await explore(polite(true), { signal: AbortSignal.abort() })).limit, 'interrupted')
})

test('a sometimes that is never true makes a pass vacuous', async () => {
  const never = { name: 'never', cond: op(read(0), '>', k(5)), at: position('never') }
  const base = polite(true)
  const result = await explore({ ...base, properties: { ...base.properties, sometimes: [never] } })
  assert.equal(result.verdict, 'vacuous')
  assert.equal((await explore({ ...base, properties: { ...base.properties, sometimes: [{ ...never, exempt: 'cannot' }] } })).verdict, 'pass')
})

test('a race found at grain lock restarts the search at grain access', async () => {
  const body: Line[] = [{ op: 'check', check: 0, fails: k(1) }, { op: 'store', column: 0, value: k(1) }, { op: 'store', column: 0, value: k(0) }, { op: 'end' }]
  const parts = { columns: [column('x', 0, 1, [0])], threads: [thread('a', [], body), thread('b', [], body)], guarded: [0] }
  const raced = await explore(program({ ...parts, checks: [check('race')] }))
  assert.equal(raced.grain, 'access')
  const atAccess = await explore(program({ ...parts, checks: [check('race')] }), { grain: 'access' })
  assert.equal(raced.states, atAccess.states)
  const quiet = await explore(program({ ...parts, checks: [check('warn')] }))
  assert.equal(quiet.grain, 'lock')
  assert.ok(quiet.states < atAccess.states)
})

interface Plain {
  readonly states: number
  readonly transitions: number
  /** By check: steps and context switches of the best counterexample. */
  readonly best: Map<number, { steps: number; switches: number }>
  readonly livelock: boolean
}

/** The same by the interpreter, plainly; undefined for programs too large for that. */
function searchPlainly(program_: Program, mostStates: number): Plain | undefined {
  const interpreter = interpret(program_)
  const threads = program_.threads.length
  const best: Plain['best'] = new Map()
  const note = (id: number, steps: number, switches: number): void => {
    const old = best.get(id)
    if (!old || (old.steps === steps && switches < old.switches)) best.set(id, { steps, switches })
  }
  const states: Int32Array[] = [interpreter.initial()]
  const known = new Map([[states[0].join(), 0]])
  // By state and last thread: least context switches of a shortest path.
  const costs: number[][] = [Array.from({ length: threads }, () => 0)]
  const silent: { thread: number; to: number }[][] = []
  const able: boolean[][] = []
  let transitions = 0
  let level = [0]
  for (let depth = 0; level.length > 0; depth++) {
    const next = new Set<number>()
    for (const s of level) {
      for (const id of interpreter.stateViolations(states[s])) note(id, depth, Math.min(...costs[s]))
      silent[s] = []
      able[s] = Array.from({ length: threads }, () => false)
      for (const { thread: t, to, violations, progress, failed } of interpreter.successors(states[s])) {
        transitions++
        able[s][t] = true
        const cost = Math.min(...costs[s].map((before, last) => before + Number(depth > 0 && last !== t)))
        for (const id of violations) note(id, depth + 1, cost)
        if (!to) continue
        let number = known.get(to.join())
        if (number === undefined) {
          number = states.push(to) - 1
          known.set(to.join(), number)
          costs.push(Array.from({ length: threads }, () => Infinity))
          next.add(number)
        }
        if (next.has(number)) costs[number][t] = Math.min(costs[number][t], cost)
        if (!progress && !failed) silent[s].push({ thread: t, to: number })
      }
    }
    if (states.length > mostStates) return undefined
    level = [...next]
  }
  const reach = silent.map((_, s) => {
    const seen = new Set<number>()
    for (const pending = [s]; pending.length > 0; ) for (const { to } of silent[pending.pop() as number]) if (!seen.has(to) && seen.add(to)) pending.push(to)
    return seen
  })
  const livelock = reach.some((from, s) => {
    if (!from.has(s)) return false
    const component = [...from].filter((other) => reach[other].has(s))
    return program_.threads.every((_, t) => component.some((c) => !able[c][t] || silent[c].some((edge) => edge.thread === t && component.includes(edge.to))))
  })
  return { states: states.length, transitions, best, livelock }
}

function verifyCounterexample(program_: Program, { check: id, steps, cycleFrom }: Counterexample): void {
  const interpreter = interpret(program_)
  let state = interpreter.initial()
  for (const { from, transition } of steps) {
    assert.deepEqual(from, state)
    assert.ok(interpreter.threadSuccessors(from, transition.thread).some((one) => one.choices.join() === transition.choices.join()))
    if (transition.to) state = transition.to
  }
  const kind = program_.checks[id].kind
  if (cycleFrom !== undefined) assert.deepEqual(state, steps[cycleFrom].from)
  else if (['always', 'finally', 'eventually'].includes(kind)) assert.ok(interpreter.stateViolations(state).includes(id))
  else if (['deadlock', 'lost-wake', 'sleeps'].includes(kind))
    assert.ok(interpreter.successors(state).length === 0 && program_.threads.some((_, t) => state[interpreter.shape.threadBase[t]] !== DONE))
  else assert.ok(steps[steps.length - 1].transition.violations.includes(id))
}

function switches({ steps }: Counterexample): number {
  return steps.filter((step, i) => i > 0 && step.transition.thread !== steps[i - 1].transition.thread).length
}

test('agrees with a plain search on random programs', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (program_) => {
      const expected = searchPlainly(program_, 400)
      if (!expected) return
      const result = await explore(program_, { jobs: 1, grain: 'access' })
      assert.deepEqual([result.states, result.transitions], [expected.states, expected.transitions])
      for (const { check: id, counterexample: found } of result.checks) {
        if (found) verifyCounterexample(program_, found)
        const { kind } = program_.checks[id]
        if (!['deadlock', 'lost-wake', 'sleeps', 'livelock'].includes(kind))
          assert.deepEqual(found && { steps: found.steps.length, switches: switches(found) }, expected.best.get(id))
        if (kind === 'livelock') assert.equal(found !== undefined, expected.livelock)
      }
    }),
    { numRuns: 300 },
  )
})

test('keeping dead locals changes no verdict', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (random) => {
      const zeroed = await explore(random, { jobs: 1 })
      const kept = await explore(random, { jobs: 1, zeroDeadLocals: false })
      assert.ok(kept.states >= zeroed.states)
      const steps = (result: Exploration): unknown =>
        result.checks.map(({ outcome, counterexample: found }) => [outcome, found && found.cycleFrom === undefined ? found.steps.length : undefined])
      assert.deepEqual(steps(kept), steps(zeroed))
    }),
    { numRuns: 60 },
  )
})
