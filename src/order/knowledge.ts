/** All that the searches tell of sets of changes, as plain data; and from it the judgement of any set, for those who have only an answer. */
import { type Found, Judgement } from './judgement.ts'

/** What a check says when it fails. */
export interface CheckFact {
  readonly check: string
  readonly kind: string
  readonly message: string
}

/**
 * One search: `read`, `on`, then what failed by place in the situation's `checks`. It tells of every set that has the switches of
 * `on`, and no other, on among those of `read`. Both are bits of `Knowledge.switches`.
 */
export type SearchFact = readonly number[]

export interface SituationFacts {
  readonly scenario: string
  /** Switches that have to be on for the situation to make sense; none if it always does. */
  readonly needs: readonly string[]
  readonly checks: readonly CheckFact[]
  readonly searched: readonly SearchFact[]
  /** Searches that came to a limit, by place in `searched`: more may fail. */
  readonly limited: readonly number[]
}

export interface Knowledge {
  /** Those that the sets differ in: bit i of a set of switches is the i-th. */
  readonly switches: readonly string[]
  readonly situations: readonly SituationFacts[]
}

type Said = Pick<CheckFact, 'kind' | 'message'>

/** The facts of one situation; of searches that tell of the same sets the first is taken. */
export function situationFacts(scenario: string, needs: readonly string[], found: readonly Found<Said>[]): SituationFacts {
  const checks: CheckFact[] = []
  const places = new Map<string, number>()
  const searched = new Map<string, SearchFact>()
  const limited: number[] = []
  for (const { read, values, failures, incomplete } of found) {
    const key = `${read} ${values}`
    if (searched.has(key)) continue
    const fails = [...failures].map(([check, { kind, message }]) => {
      const place = places.get(check) ?? checks.push({ check, kind, message }) - 1
      places.set(check, place)
      return place
    })
    if (incomplete !== undefined) limited.push(searched.size)
    searched.set(key, [read, values, ...fails])
  }
  return { scenario, needs, checks, searched: [...searched.values()], limited }
}

/** A judgement of these sets of switches by what is known. */
export function judgementFrom({ switches, situations }: Knowledge, sets: Iterable<number>): Judgement<CheckFact> {
  const bitsOf = (names: readonly string[]): number => names.reduce((bits, name) => bits | bitOf(switches, name), 0)
  const needs = situations.map((situation) => bitsOf(situation.needs))
  const judgement = new Judgement<CheckFact>(
    situations.map(({ scenario }) => scenario),
    [0, ...sets],
    (situation, bits) => (bits & needs[situation]) === needs[situation],
  )
  for (const { scenario, checks, searched, limited } of situations) {
    searched.forEach(([read, values, ...fails], i) => {
      judgement.take({
        scenario,
        on: switches.filter((name) => (values & bitOf(switches, name)) !== 0),
        read,
        values,
        failures: new Map(fails.map((place) => [checks[place].check, checks[place]])),
        ...(limited.includes(i) ? { incomplete: 'limit' } : {}),
      })
    })
  }
  return judgement
}

/** 0 for a switch that does not vary. */
function bitOf(switches: readonly string[], name: string): number {
  const at = switches.indexOf(name)
  return at < 0 ? 0 : 1 << at
}
