// What an answer carries of the searches is enough to judge every set as the searches themselves did, and as trying every set does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Found, Judgement } from '../../src/order/judgement.ts'
import { judgementFrom, situationFacts } from '../../src/order/knowledge.ts'

interface Said {
  readonly kind: string
  readonly message: string
}

const SWITCHES = ['a', 'b', 'c', 'd']
const SETS = Array.from({ length: 2 ** SWITCHES.length }, (_, set) => set)

/** A situation whose checks each fail under one setting of the switches it reads. */
const situation = fc.record({
  read: fc.integer({ min: 0, max: 15 }),
  needs: fc.subarray(SWITCHES, { maxLength: 1 }),
  fails: fc.array(fc.record({ values: fc.integer({ min: 0, max: 15 }), check: fc.constantFrom('x', 'y', 'z') }), { maxLength: 6 }),
  limitedUnder: fc.option(fc.integer({ min: 0, max: 15 }), { nil: undefined }),
})

test('the data of an answer judges each set as its searches did', () => {
  fc.assert(
    fc.property(fc.array(situation, { minLength: 1, maxLength: 4 }), (situations) => {
      const searchOf = (i: number, set: number): Found<Said> => {
        const { read, fails, limitedUnder } = situations[i]
        const here = fails.filter(({ values }) => (values & read) === (set & read)).map(({ check }) => check)
        const failures = new Map(here.map((check): [string, Said] => [check, { kind: 'warn', message: `${check} in ${i}` }]))
        const limited = limitedUnder !== undefined && (limitedUnder & read) === (set & read)
        const on = SWITCHES.filter((_, bit) => (set & (1 << bit)) !== 0)
        return { scenario: `s${i}`, on, read, values: set & read, failures, ...(limited ? { incomplete: 'states' } : {}) }
      }
      const applies = (i: number, set: number): boolean => situations[i].needs.every((name) => (set & (1 << SWITCHES.indexOf(name))) !== 0)
      const names = situations.map((_, i) => `s${i}`)
      const searched = new Judgement<Said>(names, SETS, applies)
      const found = situations.map((_, i) => SETS.filter((set) => applies(i, set)).map((set) => searchOf(i, set)))
      for (const one of found.flat()) searched.take(one)
      const facts = situations.map(({ needs }, i) => situationFacts(names[i], needs, found[i]))
      const told = judgementFrom(JSON.parse(JSON.stringify({ switches: SWITCHES, situations: facts })), SETS)
      for (const set of SETS) {
        assert.equal(told.status(set), searched.status(set), `set ${set}`)
        const said = (one: { readonly scenario: string; readonly check: string }): string => `${one.scenario} ${one.check}`
        assert.deepEqual(told.introduced(set).failures.map(said).sort(), searched.introduced(set).failures.map(said).sort())
        assert.deepEqual(told.repaired(set).map(said).sort(), searched.repaired(set).map(said).sort())
        assert.equal(told.introduced(set).complete, searched.introduced(set).complete)
        for (const { scenario, check, evidence } of told.introduced(set).failures) assert.equal(evidence.message, `${check} in ${scenario.slice(1)}`)
      }
    }),
    { numRuns: 200 },
  )
})
