// The lattice as DOT: every set that safe steps lead to, named by numbers that a list explains, and the way Linux took.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerFor } from '../../src/order/answer.ts'
import type { Element } from '../../src/order/element.ts'
import { Judgement } from '../../src/order/judgement.ts'
import { renderDot } from '../../src/report/order-dot.ts'

const element = (id: string, place?: number): Element => ({
  id,
  change: id,
  about: '',
  switches: [id],
  ...(place === undefined ? {} : { landed: { place, since: `v${place}`, commits: [] } }),
})

test('safe sets, groups, the smallest unsafe sets and the way Linux took', () => {
  const elements = [element('a', 1), element('b', 2), element('c', 2), element('d', 1)]
  const sets = Array.from({ length: 16 }, (_, set) => set)
  // b and c must land together, and only where a has; d decides nothing.
  const judgement = new Judgement<{ kind: string; message: string }>(['s'], sets, () => true)
  for (const set of sets) {
    const failures: [string, { kind: string; message: string }][] =
      ((set & 2) !== 0) !== ((set & 4) !== 0) || ((set & 2) !== 0 && (set & 1) === 0) ? [['x', { kind: 'warn', message: 'm' }]] : []
    judgement.take({ scenario: 's', on: [], read: 15, values: set, failures: new Map(failures) })
  }
  const dot = renderDot(answerFor('by "kind"', elements, judgement, (set) => set, []))
  assert.match(dot, /^digraph "by \\"kind\\"" \{\n/)
  assert.match(dot, /legend \[shape=plaintext, label="1 a\\l2 b\\l3 c\\l4 d\\l"\]/)
  assert.match(dot, /any \[shape=note, label="at any time: 4"\]/)
  assert.match(dot, /s0 \[label="none"\]/)
  assert.match(dot, /s1 \[label="1"\]/)
  assert.match(dot, /s7 \[label="all of these: 1 2 3"\]/)
  assert.match(dot, /s1 -> s7 \[penwidth=3, color=black, label="Linux v2: together 2 3"\]/)
  assert.match(dot, /s0 -> s1 \[penwidth=3, color=black, label="Linux v1"\]/)
  assert.match(dot, /s2 \[label="2\\nunsafe: s", style=dashed\]/)
  assert.match(dot, /s0 -> s2 \[style=dashed, label="2"\]/)
  assert.doesNotMatch(dot, /s8|s9|s15/)
  // Each step is drawn once, braces are balanced, and every quote is closed.
  const steps = [...dot.matchAll(/^ {2}(s\d+ -> s\d+)/gm)].map(([, step]) => step)
  assert.equal(new Set(steps).size, steps.length)
  assert.equal((dot.replaceAll('\\"', '').match(/"/g) ?? []).length % 2, 0)
})
