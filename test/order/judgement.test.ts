// Which sets are safe, asked in any order and of as few searches as will do, is what trying every set would say.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Agenda } from '../../src/order/agenda.ts'
import { type Found, Judgement } from '../../src/order/judgement.ts'

/** A check of a made-up situation: it fails where these switches have these values. */
interface Rule {
  readonly mask: number
  readonly value: number
}

/** A made-up situation: one rule a check, and the switches it needs, if it is none without. */
interface Situation {
  readonly rules: readonly Rule[]
  readonly needs: number
}

const SWITCHES = 5
const bits = fc.nat(2 ** SWITCHES - 1)
const situation: fc.Arbitrary<Situation> = fc.record({
  rules: fc.array(
    fc.tuple(bits, bits).map(([mask, value]): Rule => ({ mask, value: value & mask })),
    { maxLength: 4 },
  ),
  needs: fc.oneof(fc.constant(0), fc.constant(0), bits),
})

/** Ids of the checks that fail, and the switches that had to be looked at to know. */
function search({ rules }: Situation, on: number): { failures: string[]; read: number } {
  let read = 0
  const failures = rules.flatMap(({ mask, value }, r) => {
    // As a search does: it looks at one switch after the other, and at no more once it knows.
    for (let bit = 1; bit < 2 ** SWITCHES; bit *= 2) {
      if ((mask & bit) === 0) continue
      read |= bit
      if ((on & bit) !== (value & bit)) return []
    }
    return [`check:${r}`]
  })
  return { failures, read }
}

const name = (s: number): string => `situation-${s}`
const applies = ({ needs }: Situation, on: number): boolean => (on & needs) === needs

/** Sets that introduce no failure, by trying every situation under every set. */
function safeByTrying(situations: readonly Situation[], sets: readonly number[], destination: number | undefined): number[] {
  const failuresOf = (one: Situation, on: number): string[] => (applies(one, on) ? search(one, on).failures : [])
  return sets.filter((on) =>
    situations.every((one) => {
      const allowed = new Set([...failuresOf(one, 0), ...(destination === undefined ? [] : failuresOf(one, destination))])
      return failuresOf(one, on).every((check) => allowed.has(check))
    }),
  )
}

test('what is safe is what trying every set says, whoever answers first', () => {
  const input = fc.record({
    situations: fc.array(situation, { minLength: 1, maxLength: 4 }),
    sets: fc.uniqueArray(bits, { minLength: 1, maxLength: 12 }),
    towards: fc.boolean(),
    late: fc.infiniteStream(fc.boolean()),
  })
  let searches = 0
  let brute = 0
  fc.assert(
    fc.property(input, ({ situations, sets: some, towards, late }) => {
      const full = some.reduce((all, set) => all | set, 0)
      const sets = [...new Set([0, ...some, full])]
      const destination = towards ? full : undefined
      const judgement = new Judgement<string>(
        situations.map((_, s) => name(s)),
        sets,
        (s, on) => applies(situations[s], on),
        destination,
      )
      const item = (on: number, whole: boolean) => ({ bits: on, whole, needed: (s: number) => judgement.needs(on, s, whole) })
      const agenda = new Agenda(situations.length, [item(0, true), item(full, true), ...sets.map((on) => item(on, false))])
      const held: (Found<string> | undefined)[] = [undefined, undefined]
      for (let idle = 0; idle < 2; ) {
        idle = 0
        for (let worker = 0; worker < 2; worker++) {
          const answer = held[worker]
          if (answer && late.next().value) continue
          held[worker] = undefined
          if (answer) judgement.take(answer)
          const question = agenda.next(worker)
          if (!question) {
            idle++
            continue
          }
          const { failures, read } = search(situations[question.scenario], question.bits)
          held[worker] = {
            scenario: name(question.scenario),
            on: [],
            read,
            values: question.bits & read,
            failures: new Map(failures.map((check) => [check, check])),
          }
          searches++
        }
      }
      brute += situations.length * sets.length
      const safe = sets.filter((on) => judgement.status(on) === 'safe')
      assert.deepEqual(safe, safeByTrying(situations, sets, destination))
      assert.ok(sets.every((on) => judgement.status(on) === 'safe' || judgement.status(on) === 'unsafe'))
    }),
    { numRuns: 2000 },
  )
  assert.ok(searches < brute / 2, `${searches} searches in place of ${brute}`)
})

test('a search that reached a limit leaves its sets undecided, but a failure it found is one', () => {
  const judgement = new Judgement<string>(['a'], [0, 1, 2], () => true)
  judgement.take({ scenario: 'a', on: [], read: 3, values: 0, failures: new Map() })
  judgement.take({ scenario: 'a', on: [], read: 3, values: 1, failures: new Map(), incomplete: 'too many states' })
  judgement.take({ scenario: 'a', on: [], read: 3, values: 2, failures: new Map([['c', 'why']]), incomplete: 'too many states' })
  assert.deepEqual(
    [0, 1, 2].map((on) => judgement.status(on)),
    ['safe', 'undecided', 'unsafe'],
  )
})
