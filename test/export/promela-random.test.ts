import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toPromela } from '../../src/export/promela.ts'
import { countStates } from './count.ts'
import { randomProgram } from './random.ts'
import { QUICK, runSpin } from './spin.ts'

/** Each run compiles three C programs. More of them: PUTPAGE_RUNS=500. */
const RUNS = Number(process.env.PUTPAGE_RUNS ?? 16)
const SEED = Number(process.env.PUTPAGE_SEED ?? 413)

test('random programs: SPIN finds the same states, transitions and verdicts', () => {
  let ends = 0
  fc.assert(
    fc.property(randomProgram(), fc.nat(), (model, pick) => {
      const ours = countStates(model, 20_000)
      // Trivial programs teach nothing, large ones take long.
      fc.pre(ours !== undefined && ours.states > 12)
      ends += ours.ended
      const text = toPromela(model)
      const spin = runSpin(text, { ...QUICK, depth: 1_000_000 })
      assert.deepEqual([spin.states, spin.transitions, spin.errors], [ours.states, ours.transitions, 0], text)
      const { id } = model.checks[pick % model.checks.length]
      const watched = toPromela(model, { check: id })
      const verdict = runSpin(watched, { ...QUICK, depth: 1_000_000 })
      assert.equal(verdict.errors > 0, ours.failed.has(id), watched)
      const all = toPromela(model, { check: 'all' })
      const reported = runSpin(all, { ...QUICK, depth: 1_000_000 }).failed
      assert.deepEqual(reported, [...ours.failed].filter((failed) => model.checks.some((check) => check.id === failed)).sort(), all)
    }),
    { numRuns: RUNS, seed: SEED, maxSkipsPerRun: 1000, endOnFailure: true },
  )
  assert.ok(RUNS < 16 || ends > 0, 'some program has a fatal check that fails')
})
