// Random runs: the same for the same seed; what they say fails does fail; and they never say that something passes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explore } from '../../src/engine/explore.ts'
import { HANG_KINDS } from '../../src/engine/hang.ts'
import { Prng } from '../../src/engine/prng.ts'
import { exploreRandomly, type RandomOptions } from '../../src/engine/random.ts'
import { PctSchedule, UniformSchedule } from '../../src/engine/random-schedule.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import { compiled, failed } from '../model/models.ts'
import { randomProgram } from './random-program.ts'

const UNIFORM: RandomOptions = { runs: 50, seed: 7, strategy: 'uniform', depth: 1 }
const PCT: RandomOptions = { runs: 50, seed: 7, strategy: 'pct', depth: 3 }

/** Steps a counterexample again by the interpreter; it must end in the failure. */
function assertReplays({ program, checks }: Exploration): void {
  const interpreter = interpret(program)
  for (const { check, outcome, counterexample } of checks) {
    if (outcome !== 'violation') continue
    assert.ok(counterexample)
    let state = interpreter.initial()
    let seen = false
    for (const { from, transition } of counterexample.steps) {
      assert.deepEqual(from, state)
      const same = interpreter.threadSuccessors(state, transition.thread).find((one) => one.choices.join() === transition.choices.join())
      assert.deepEqual(same, transition)
      seen = transition.violations.includes(check)
      if (transition.to) state = transition.to
    }
    const hang = (HANG_KINDS as readonly string[]).includes(program.checks[check].kind)
    if (hang) assert.ok(interpreter.successors(state).length === 0 && counterexample.waiting)
    else assert.ok(seen || interpreter.stateViolations(state).includes(check), program.checks[check].id)
  }
}

test('what random runs find is there, is stepped again, and is the same for the same seed', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, fc.nat(1000), async (program, seed) => {
      const whole = await explore(program, { jobs: 1, grain: 'access' })
      for (const options of [UNIFORM, PCT]) {
        const result = await exploreRandomly(program, { ...options, seed }, { grain: 'access' })
        assert.notEqual(result.verdict, 'pass')
        assert.ok(!result.complete && result.limit)
        assert.deepEqual(
          failed(result).filter((id) => !failed(whole).includes(id)),
          [],
        )
        assert.ok(result.states <= whole.states)
        assertReplays(result)
        const again = await exploreRandomly(program, { ...options, seed }, { grain: 'access', backend: 'js' })
        assert.deepEqual({ ...again, seconds: 0 }, { ...result, seconds: 0 })
      }
    }),
    { numRuns: 15 },
  )
})

for (const options of [UNIFORM, PCT]) {
  test(`${options.strategy}: the lost wake of v6.1 is found by random runs`, async () => {
    const result = await exploreRandomly(compiled('truncate-against-direct-io', 'v6.1'), { ...options, runs: 2000 })
    assert.equal(result.verdict, 'violation')
    assert.deepEqual(failed(result), ['lost-wake'])
    assertReplays(result)
  })
}

test('nothing found is inconclusive, and says how many runs, and what they reached', async () => {
  const result = await exploreRandomly(compiled('gup-of-mapped-dax', 'v6.1'), { ...UNIFORM, runs: 10 })
  assert.equal(result.verdict, 'inconclusive')
  assert.equal(result.limit, '10 random runs (uniform, seed 7)')
  assert.ok(result.sometimes.every(({ reached }) => reached))
  assert.ok(result.taken?.some((nodes) => nodes.includes(1)))
  const late = await exploreRandomly(compiled('gup-of-mapped-dax', 'v6.1'), { ...UNIFORM, runs: 1_000_000 }, { timeout: 0.05 })
  assert.match(late.limit ?? '', /^\d+ random runs \(uniform, seed 7; --timeout 0\.05 s reached\)$/)
})

test('uniform: every thread that can move is about as likely', () => {
  const schedule = new UniformSchedule(1)
  schedule.begin(0)
  const counts = [0, 0, 0]
  const threads = Int32Array.of(0, 1, 2)
  for (let i = 0; i < 3000; i++) counts[schedule.pick(threads, 3)]++
  for (const count of counts) assert.ok(count > 900 && count < 1100, counts.join())
})

test('pct: who is first moves as long as it can; each change point costs one switch', () => {
  const switches = (depth: number, run: number): number => {
    const schedule = new PctSchedule(3, 3, depth, 40)
    schedule.begin(run)
    const picked = Array.from({ length: 40 }, () => schedule.pick(Int32Array.of(0, 1, 2), 3))
    return picked.filter((thread, i) => i > 0 && thread !== picked[i - 1]).length
  }
  for (let run = 0; run < 50; run++) {
    assert.equal(switches(1, run), 0)
    assert.ok(switches(3, run) <= 2)
  }
  assert.ok(Array.from({ length: 50 }, (_, run) => switches(3, run)).includes(2))
})

test('pct: a thread that goes round for longer than a run lasts has to let the others', () => {
  const schedule = new PctSchedule(3, 2, 1, 10)
  schedule.begin(0)
  const picked = Array.from({ length: 100 }, () => schedule.pick(Int32Array.of(0, 1), 2))
  assert.deepEqual([...new Set(picked)].sort(), [0, 1])
})

test('the generator gives known numbers, different ones for different seeds and streams', () => {
  const first = (seed: number, stream: number): string => {
    const random = new Prng(seed, stream)
    return Array.from({ length: 4 }, () => random.next()).join()
  }
  assert.equal(first(1, 0), first(1, 0))
  assert.equal(new Set([first(1, 0), first(2, 0), first(1, 1), first(1, -1), first(2 ** 40, 0)]).size, 5)
})
