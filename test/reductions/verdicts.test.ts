// What makes searching cheap changes no verdict: the package's scenarios on every kernel, each searched as it is written
// (every access a step, nothing left out) and with each reduction.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { fuse } from '../../src/engine/fuse.ts'
import type { Exploration } from '../../src/engine/verdict.ts'
import { prune } from '../../src/ir/prune.ts'
import { compiled, exact, type Pair, pairs, verdicts } from '../model/models.ts'

/** Larger ones would take minutes each without reductions. */
const MOST_STATES = 100_000

/** Of several hundred pairs: they are alike in their code, and each is searched in five ways. */
const SAMPLE = 8

const runs = new Map<Pair, Exploration>()

before(async () => {
  for (const pair of pairs().filter((_, i) => i % SAMPLE === 0)) runs.set(pair, await exact(compiled(pair.scenario, pair.kernel), { maxStates: MOST_STATES }))
})

/** All, or for what is searched beside: every third pair, the smaller ones. */
const EVERY = { nth: 1, states: MOST_STATES }
const SOME = { nth: 3, states: 5_000 }

/** Searches programs in another way, and compares all verdicts. Gives how many states that took, beside the plain ones. */
async function sameVerdicts(which: typeof EVERY, search: (run: Exploration) => Promise<Exploration>): Promise<{ plain: number; reduced: number }> {
  const sum = { plain: 0, reduced: 0 }
  const different: object[] = []
  for (const [i, [{ scenario, kernel }, plain]] of [...runs].entries()) {
    if (!plain.complete || plain.states > which.states || i % which.nth !== 0) continue
    const reduced = await search(plain)
    sum.plain += plain.states
    sum.reduced += reduced.states
    try {
      assert.deepEqual(verdicts(reduced), verdicts(plain))
    } catch {
      const [ours, theirs] = [verdicts(reduced), verdicts(plain)].map((one) => JSON.stringify(one).split(/[,{}]/))
      different.push({ scenario, kernel, reduced: ours.filter((one) => !theirs.includes(one)), plain: theirs.filter((one) => !ours.includes(one)) })
    }
  }
  assert.deepEqual(different, [])
  return sum
}

test('nearly every scenario is small enough to be searched without any reduction', () => {
  const complete = [...runs.values()].filter((run) => run.complete)
  assert.ok(complete.length >= 0.8 * runs.size, `${complete.length} of ${runs.size}`)
})

test('grain lock gives the verdicts of grain access, by fewer states', async () => {
  const { plain, reduced } = await sameVerdicts(EVERY, (run) => exact(run.program, { grain: 'lock' }))
  assert.ok(reduced < plain)
})

test('leaving out what no thread can notice changes no verdict', async () => {
  const { plain, reduced } = await sameVerdicts(SOME, (run) => exact(prune(run.program)))
  assert.ok(reduced < plain)
})

test('taking accesses under a lock together changes no verdict', async () => {
  const { plain, reduced } = await sameVerdicts(SOME, (run) => exact(fuse(run.program)))
  assert.ok(reduced < plain)
})

test('keeping dead locals changes no verdict and only adds states', async () => {
  // They multiply the states, and code that keeps hundreds of them takes minutes to generate: the smallest scenarios only.
  const locals = ({ program }: Exploration): number => program.threads.reduce((sum, thread) => sum + thread.locals.length, 0)
  let compared = 0
  for (const [{ scenario, kernel }, plain] of runs) {
    if (plain.states > 2_000 || locals(plain) > 380) continue
    const kept = await exact(plain.program, { zeroDeadLocals: false, maxStates: 20_000 })
    if (!kept.complete) continue
    assert.deepEqual(verdicts(kept), verdicts(plain), `${scenario} ${kernel}`)
    assert.ok(kept.states >= plain.states)
    compared++
  }
  assert.ok(compared >= 10, `${compared} scenarios stay small`)
})
