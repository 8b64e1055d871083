// SPIN, an explorer written by others, counts what ours counts, for scenarios of the package as they are written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPromela } from '../../src/export/promela.ts'
import type { CheckKind } from '../../src/ir/program.ts'
import { countStates } from '../export/count.ts'
import { runSpin } from '../export/spin.ts'
import { compiled, exact } from '../model/models.ts'

const SPIN = { optimise: '-O0' } as const

/** Scenario, kernel, and the check whose verdict is asked for. */
const CASES: readonly (readonly [string, string, CheckKind])[] = [
  ['gup-of-mapped-dax', 'v5.10', 'warn'],
  ['gup-of-mapped-dax', 'v5.15+seed', 'warn'],
  ['gup-of-mapped-dax', 'v6.1', 'warn'],
  ['gup-of-mapped-dax', 'v7.3', 'warn'],
  ['unbind-against-pinned-fsdax-page', 'v5.10', 'use-after-free'],
  ['unbind-against-pinned-fsdax-page', 'v6.1', 'use-after-free'],
  ['unbind-against-pinned-device-dax-page', 'v5.10', 'use-after-free'],
  ['unbind-against-pinned-device-dax-page', 'v5.15+seed', 'use-after-free'],
  ['unbind-against-pinned-device-dax-page', 'v6.1', 'use-after-free'],
  ['unbind-against-pinned-device-dax-page', 'v7.3', 'use-after-free'],
  ['memunmap-of-allocated-page', 'v6.1', 'use-after-free'],
  ['memunmap-of-allocated-page', 'v5.15+seed', 'use-after-free'],
  ['two-dax-faults', 'v6.1', 'warn'],
  ['truncate-against-pin', 'v5.15+seed', 'warn'],
  ['truncate-against-direct-io', 'v6.1', 'lost-wake'],
  ['unlink-of-pinned-file', 'v6.1', 'always'],
]

for (const [scenario, kernel, kind] of CASES) {
  test(`${scenario} on ${kernel}: SPIN counts the same states and transitions and has the same verdict (${kind})`, async () => {
    const program = compiled(scenario, kernel)
    const ours = await exact(program)
    assert.ok(ours.complete && ours.states < 20_000)
    // A transition that a fatal check ends leads nowhere, and is none for SPIN.
    const counted = countStates(program)
    assert.equal(counted && counted.transitions + counted.ended, ours.transitions)
    const spin = runSpin(toPromela(program), SPIN)
    assert.equal(spin.errors, 0)
    assert.equal(spin.states, ours.states)
    assert.equal(spin.transitions, counted?.transitions)
    const asked = ours.checks.filter((one) => program.checks[one.check].kind === kind)
    const check = asked.find((one) => one.outcome === 'violation') ?? asked[0]
    assert.ok(check, `the program has a check of kind ${kind}`)
    assert.equal(runSpin(toPromela(program, { check: program.checks[check.check].id }), SPIN).errors > 0, check.outcome === 'violation')
  })
}
