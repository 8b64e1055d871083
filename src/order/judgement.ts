/** What is known of sets of switches: each search tells of every set that agrees with it on the switches its program follows from. */

/** What one search found: a scenario under some switches. */
export interface Found<Evidence> {
  readonly scenario: string
  /** The switches it was searched with, beside the base's. */
  readonly on: readonly string[]
  /** Switches (bits) that the verdict follows from, and their values. */
  readonly read: number
  readonly values: number
  /** Ids of failed checks, and what shows each. */
  readonly failures: ReadonlyMap<string, Evidence>
  /** A limit was reached: failures are facts, but there may be more. */
  readonly incomplete?: string
}

/** Why a set is unsafe: a failure that the base does not have. */
export interface Reason<Evidence> {
  readonly scenario: string
  readonly check: string
  readonly evidence: Evidence
  /** The search that showed it. */
  readonly found: Found<Evidence>
}

export type Status = 'safe' | 'unsafe' | 'unknown' | 'undecided'

interface SetState<Evidence> {
  readonly bits: number
  /** One entry a scenario: was it searched for this set, or for one that agrees, or makes it no sense? */
  readonly done: Uint8Array
  left: number
  reason?: Reason<Evidence>
  incomplete?: string
}

/**
 * Judges sets against a base, which is no switch at all: a set is safe if each of its failures is one of the base's. With a
 * `destination` its failures are allowed too. Searches may be taken in in any order: those of a scenario tell nothing before its
 * base and destination were searched.
 */
export class Judgement<Evidence> {
  readonly scenarios: readonly string[]
  private readonly found: Found<Evidence>[][]
  /** By scenario: how many of `found` the sets know of. */
  private readonly judged: number[]
  private readonly applies: (scenario: number, bits: number) => boolean
  private readonly destination: number | undefined
  private readonly sets = new Map<number, SetState<Evidence>>()

  /** `applies` tells whether a scenario makes sense under a set of switches. */
  constructor(scenarios: readonly string[], sets: Iterable<number>, applies: (scenario: number, bits: number) => boolean, destination?: number) {
    this.scenarios = scenarios
    this.applies = applies
    this.destination = destination
    this.found = scenarios.map(() => [])
    this.judged = scenarios.map(() => 0)
    for (const bits of sets) {
      if (this.sets.has(bits)) continue
      const done = Uint8Array.from(scenarios, (_, s) => Number(!applies(s, bits)))
      this.sets.set(bits, { bits, done, left: done.reduce((left, one) => left + 1 - one, 0) })
    }
  }

  /** Takes in a search. */
  take(found: Found<Evidence>): void {
    const scenario = this.scenarios.indexOf(found.scenario)
    const all = this.found[scenario]
    all.push(found)
    if (!this.isKnown(scenario, 0) || (this.destination !== undefined && !this.isKnown(scenario, this.destination))) return
    const allowed = this.allowed(scenario)
    for (; this.judged[scenario] < all.length; this.judged[scenario]++) this.judge(scenario, all[this.judged[scenario]], allowed)
  }

  private judge(scenario: number, found: Found<Evidence>, allowed: ReadonlySet<string>): void {
    const introduced = [...found.failures].find(([check]) => !allowed.has(check))
    for (const set of this.sets.values()) {
      if (set.done[scenario] === 1 || (set.bits & found.read) !== found.values) continue
      set.done[scenario] = 1
      set.left--
      if (introduced) set.reason ??= { scenario: found.scenario, check: introduced[0], evidence: introduced[1], found }
      else if (found.incomplete !== undefined) set.incomplete ??= `${found.scenario}: ${found.incomplete}`
    }
  }

  status(bits: number): Status {
    const set = this.set(bits)
    if (set.reason) return 'unsafe'
    if (set.left > 0) return 'unknown'
    return set.incomplete === undefined ? 'safe' : 'undecided'
  }

  reason(bits: number): Reason<Evidence> | undefined {
    return this.set(bits).reason
  }

  /** True if a set is not decided without this scenario; with `whole` even if a failure of another is known. */
  needs(bits: number, scenario: number, whole: boolean): boolean {
    const set = this.set(bits)
    if (set.done[scenario] === 1 || (!whole && set.reason !== undefined)) return false
    const waiting = this.judged[scenario] < this.found[scenario].length
    return !waiting || this.matching(scenario, bits) === undefined
  }

  /** Everything that is known to fail under a set and not in the base; all there is if `complete`. */
  introduced(bits: number): { readonly failures: Reason<Evidence>[]; readonly complete: boolean } {
    const failures = this.scenarios.flatMap((scenario, s) => {
      const base = this.failuresOf(s, 0)
      const found = this.matching(s, bits)
      return found ? [...found.failures].flatMap(([check, evidence]) => (base.has(check) ? [] : [{ scenario, check, evidence, found }])) : []
    })
    return { failures, complete: this.set(bits).left === 0 }
  }

  /** What the base has and a set has not. */
  repaired(bits: number): { readonly scenario: string; readonly check: string }[] {
    return this.scenarios.flatMap((scenario, s) => {
      const found = this.matching(s, bits)
      if (!found) return []
      return [...this.failuresOf(s, 0).keys()].filter((check) => !found.failures.has(check)).map((check) => ({ scenario, check }))
    })
  }

  private allowed(scenario: number): ReadonlySet<string> {
    const base = this.failuresOf(scenario, 0).keys()
    return new Set(this.destination === undefined ? base : [...base, ...this.failuresOf(scenario, this.destination).keys()])
  }

  private failuresOf(scenario: number, bits: number): ReadonlyMap<string, Evidence> {
    return this.matching(scenario, bits)?.failures ?? new Map()
  }

  private isKnown(scenario: number, bits: number): boolean {
    return !this.applies(scenario, bits) || this.matching(scenario, bits) !== undefined
  }

  private matching(scenario: number, bits: number): Found<Evidence> | undefined {
    return this.applies(scenario, bits) ? this.found[scenario].find((one) => (bits & one.read) === one.values) : undefined
  }

  private set(bits: number): SetState<Evidence> {
    const set = this.sets.get(bits)
    if (!set) throw new Error('[putpage internal bug] a set of switches that was not announced')
    return set
  }
}
