// SPIN, an explorer written by others, counts what ours counts, for scenarios of the package as they are written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPromela } from '../../src/export/promela.ts'
import { countStates } from '../export/count.ts'
import { QUICK, runSpin } from '../export/spin.ts'
import { compiled, exact } from '../model/models.ts'

/** Scenario and kernel. */
const CASES: readonly (readonly [string, string])[] = [
  ['gup-of-mapped-dax', 'v5.10'],
  ['gup-of-mapped-dax', 'v5.15+seed'],
  ['gup-of-mapped-dax', 'v6.1'],
  ['gup-of-mapped-dax', 'v7.3'],
  ['unbind-against-pinned-fsdax-page', 'v5.10'],
  ['unbind-against-pinned-fsdax-page', 'v6.1'],
  ['unbind-against-pinned-device-dax-page', 'v5.10'],
  ['unbind-against-pinned-device-dax-page', 'v5.15+seed'],
  ['unbind-against-pinned-device-dax-page', 'v6.1'],
  ['unbind-against-pinned-device-dax-page', 'v7.3'],
  ['memunmap-of-allocated-page', 'v6.1'],
  ['memunmap-of-allocated-page', 'v5.15+seed'],
  ['two-dax-faults', 'v6.1'],
  ['truncate-against-pin', 'v5.15+seed'],
  ['truncate-against-direct-io', 'v6.1'],
  ['unlink-of-pinned-file', 'v6.1'],
]

for (const [scenario, kernel] of CASES) {
  test(`${scenario} on ${kernel}: SPIN counts the same states and transitions and finds the same checks failing`, async () => {
    const program = compiled(scenario, kernel)
    const ours = await exact(program)
    assert.ok(ours.complete && ours.states < 20_000)
    // A transition that a fatal check ends leads nowhere, and is none for SPIN.
    const counted = countStates(program)
    assert.equal(counted && counted.transitions + counted.ended, ours.transitions)
    const spin = runSpin(toPromela(program), QUICK)
    assert.equal(spin.errors, 0)
    assert.equal(spin.states, ours.states)
    assert.equal(spin.transitions, counted?.transitions)
    const failed = ours.checks.flatMap(({ check, outcome }) => (outcome === 'violation' ? [program.checks[check]] : []))
    const askable = failed.filter(({ kind }) => kind !== 'livelock').map(({ id }) => id)
    assert.deepEqual(runSpin(toPromela(program, { check: 'all' }), QUICK).failed, askable.sort())
  })
}
