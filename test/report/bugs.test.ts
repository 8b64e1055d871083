// A bug is found only by its very check, and absent only if that check passed a complete search that was about something.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckVerdict, Exploration } from '../../src/engine/verdict.ts'
import { type Evidence, judgeBug, judgeScenario } from '../../src/report/bugs.ts'
import { renderBugs } from '../../src/report/bugs-table.ts'

/** A search as it would come out, of two checks: `warn:f:x` and `lost-wake`. */
function exploration(outcomes: readonly CheckVerdict['outcome'][], rest: Partial<Exploration> = {}): Exploration {
  const ids = ['warn:f:x', 'lost-wake']
  return {
    program: { checks: ids.map((id) => ({ id })) },
    complete: true,
    checks: outcomes.map((outcome, check) => ({
      check,
      outcome,
      ...(outcome === 'violation' ? { counterexample: { check, steps: Array.from({ length: 4 + check }) } } : {}),
    })),
    sometimes: [{ name: 'it happens', reached: true }],
    ...rest,
  } as unknown as Exploration
}
const evidence = (checks: readonly string[] | undefined, result: Exploration | undefined): Evidence => ({ scenario: 's', checks, exploration: result })

test('found by the very check, absent only by its pass', () => {
  assert.deepEqual(judgeScenario(evidence(['lost-wake'], exploration(['pass', 'violation']))), {
    verdict: 'found',
    scenario: 's',
    check: 'lost-wake',
    steps: 5,
  })
  assert.equal(judgeScenario(evidence(['lost-wake'], exploration(['violation', 'pass']))).verdict, 'absent')
  assert.equal(judgeScenario(evidence(['lost-wake'], exploration(['violation', 'masked']))).verdict, 'inconclusive')
  assert.equal(judgeScenario(evidence(['lost-wake'], exploration(['pass', 'inconclusive'], { complete: false, limit: 'a limit' }))).verdict, 'inconclusive')
  assert.equal(judgeScenario(evidence(['lost-wake'], exploration(['violation', 'violation'], { complete: false }))).verdict, 'found')
})

test('a check that the kernel has no code for is absent, unless a path ended before', () => {
  assert.equal(judgeScenario(evidence(['warn:g:'], exploration(['violation', 'pass']))).verdict, 'absent')
  assert.equal(judgeScenario(evidence(['warn:g:'], exploration(['violation', 'masked']))).verdict, 'inconclusive')
})

test('where the scenario is not about anything nothing is absent', () => {
  const never = (exempt?: string) => ({ sometimes: [{ name: 'it happens', reached: false, ...(exempt === undefined ? {} : { exempt }) }] })
  assert.equal(judgeScenario(evidence(['lost-wake'], exploration(['pass', 'pass'], never()))).verdict, 'inconclusive')
  const exempt = judgeScenario(evidence(['lost-wake'], exploration(['pass', 'pass'], never('no such page'))))
  assert.deepEqual([exempt.verdict, exempt.reason], ['not applicable', 'never it happens: no such page'])
  assert.equal(judgeScenario(evidence(['lost-wake'], undefined)).verdict, 'not applicable')
})

test('a bug whose check nobody named is absent only where everything passes', () => {
  assert.equal(judgeScenario(evidence(undefined, exploration(['pass', 'pass']))).verdict, 'absent')
  const failed = judgeScenario(evidence(undefined, exploration(['pass', 'violation'])))
  assert.equal(failed.verdict, 'inconclusive')
  assert.match(failed.reason ?? '', /lost-wake.*known-bugs\.ts/)
})

test('of several scenarios: the shortest find, then what is open; a declared reason never hides a find', () => {
  const found = evidence(['warn:f:'], exploration(['violation', 'pass']))
  const absent = evidence(['warn:f:'], exploration(['pass', 'pass']))
  const open = evidence(['warn:f:'], exploration(['masked', 'pass']))
  assert.equal(judgeBug([absent, found, open], 'a reason').verdict, 'found')
  assert.equal(judgeBug([absent, open], undefined).verdict, 'inconclusive')
  assert.equal(judgeBug([absent, evidence(['warn:f:'], undefined)], undefined).verdict, 'absent')
  assert.deepEqual(judgeBug([open], 'a reason'), { verdict: 'not applicable', reason: 'a reason' })
  assert.equal(judgeBug([], undefined).verdict, 'inconclusive')
})

test('the table has a row a bug and says below what is not absent', () => {
  const text = renderBugs(
    [
      {
        id: 'a-bug',
        about: 'it goes wrong',
        kernels: { k1: { verdict: 'found', scenario: 's', check: 'lost-wake', steps: 5 }, k2: { verdict: 'absent', scenario: 's' } },
        reverted: { kernel: 'k2', without: 'abcdef012345', verdict: 'found', scenario: 's', check: 'lost-wake', steps: 6 },
      },
    ],
    { colour: false, width: 80, kernels: ['k1', 'k2'] },
  )
  assert.equal(
    text,
    [
      'bug    k1         k2      without its fix',
      'a-bug  found (5)  absent  found (6)',
      '',
      'a-bug: it goes wrong',
      '  k1: found by s, lost-wake, 5 steps',
      '  k2 without abcdef012345: found again by s, lost-wake, 6 steps',
    ].join('\n'),
  )
})
