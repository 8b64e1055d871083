// The ledger and the count move together: in every reachable state a page's count is the sum of what is held.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../../src/index.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import { pageViews } from '../../src/report/pages.ts'

/** Stands for GUP_PIN_COUNTING_BIAS in the model. */
const BIAS = 16

for (const [scenario, kernel] of [
  ['truncate-against-pin', 'v6.1'],
  ['truncate-against-pin', 'v7.3'],
  ['device-migration-and-fault', 'v5.10'],
  ['device-migration-and-fault', 'v7.3'],
  ['fork-of-device-entry', 'v6.1'],
  ['unbind-against-pinned-fsdax-page', 'v5.10'],
] as const) {
  test(`${scenario} on ${kernel}: count = sum of the ledger in every state`, () => {
    const interpreter = interpret(compile(scenario, { kernel }))
    const pages = pageViews(interpreter.program, interpreter.shape)
    const seen = new Set<string>()
    let frontier = [interpreter.initial()]
    while (frontier.length > 0) {
      const next: Int32Array[] = []
      for (const state of frontier) {
        for (const page of pages) {
          const sum = page.holders.reduce((total, { name, at }) => total + state[at] * (name === 'pin' ? BIAS : 1), 0)
          assert.equal(state[page.count.at], sum, `${page.name}: ${page.holders.map(({ name, at }) => `${name} ${state[at]}`).join(', ')}`)
        }
        for (const { to } of interpreter.successors(state)) {
          if (!to || seen.has(to.join())) continue
          seen.add(to.join())
          next.push(to)
        }
      }
      frontier = next
    }
    assert.ok(seen.size > 10)
  })
}
