import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore } from '../../src/engine/explore.ts'
import { pageref } from './pageref.ts'

test('counts the states of pageref as SPIN does', async () => {
  const result = await explore(pageref(3, 3), { grain: 'access', jobs: 1 })
  assert.equal(result.states, 285_098)
  assert.equal(result.depth, 38)
  assert.equal(result.verdict, 'pass')
})

test('finds the lost update of pageref in 10 steps', async () => {
  const result = await explore(pageref(3, 3, true), { grain: 'access', jobs: 1, maxStates: 400_000 })
  const lengths = result.checks.flatMap((one) => one.counterexample?.steps.length ?? [])
  assert.equal(Math.min(...lengths), 10)
})
