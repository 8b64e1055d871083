import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explore, judge, searchAll } from '../../src/engine/explore.ts'
import { Limits } from '../../src/engine/limits.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import type { Program } from '../../src/ir/program.ts'
import { pageref } from './pageref.ts'
import { randomProgram } from './random-program.ts'

/** The whole result but for times and sizes. */
async function run(program: Program, jobs: number): Promise<Exploration> {
  const limits = new Limits({})
  const searched = await searchAll(program, { jobs }, limits, { worthWorkers: 0, worthCode: 0 })
  return { ...(await judge(program, 'access', { jobs }, limits, searched, searched)), seconds: 0, peakBytes: 0 }
}

test('the number of workers does not change the result', async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (program) => {
      const one = await run(program, 1)
      assert.deepEqual(await run(program, 2), one)
      assert.deepEqual(await run(program, 3), one)
    }),
    { numRuns: 12 },
  )
})

test('two workers count pageref as one does', async () => {
  const [one, two] = [await run(pageref(3, 3), 1), await run(pageref(3, 3), 2)]
  assert.equal(two.states, 285_098)
  assert.deepEqual(two, one)
})

test('fingerprints find what exact search finds', async () => {
  const program = pageref(2, 3)
  const exact = await explore(program, { jobs: 1 })
  for (const jobs of [1, 2]) {
    const result = await explore(program, { jobs, fingerprint: true, livelock: false })
    assert.deepEqual([result.states, result.transitions, result.depth, result.verdict], [exact.states, exact.transitions, exact.depth, 'pass'])
    assert.equal(result.fingerprint, true)
  }
  await fc.assert(
    fc.asyncProperty(randomProgram, async (random) => {
      const one = await explore(random, { jobs: 1, livelock: false })
      const other = await explore(random, { jobs: 1, livelock: false, fingerprint: true })
      assert.deepEqual({ ...other, seconds: 0, peakBytes: 0, fingerprint: false }, { ...one, seconds: 0, peakBytes: 0 })
    }),
    { numRuns: 50 },
  )
})

test('a search by workers stops at limits, and keeps what it has found', async () => {
  const program = pageref(3, 3, true)
  for (const fingerprint of [false, true]) {
    const result = await explore(program, { grain: 'access', jobs: 2, maxStates: 500_000, fingerprint })
    assert.equal(result.limit, '--max-states 500000 reached')
    assert.equal(Math.min(...result.checks.flatMap((one) => one.counterexample?.steps.length ?? [])), 10)
  }
  const timed = await explore(program, { jobs: 2, timeout: 0.4 })
  assert.equal(timed.limit, '--timeout 0.4 s reached')
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 400)
  const interrupted = await explore(program, { jobs: 2, signal: controller.signal })
  assert.equal(interrupted.limit, 'interrupted')
})
