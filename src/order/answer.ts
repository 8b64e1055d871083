/** What `order` found, as data for the reports. */
import type { Element } from './element.ts'
import type { Judgement, Reason } from './judgement.ts'
import { type Lattice, lattice, members, minimalRepairs } from './lattice.ts'

/** One cut of the changes, with its lattice. */
export interface CutAnswer<Evidence> {
  readonly cut: string
  readonly elements: readonly Element[]
  readonly lattice: Lattice
  readonly safe: number
  readonly undecided: number
  /** One letter a set, by its number: `s`afe, `u`nsafe, `?` undecided. */
  readonly verdicts: string
  /** What the elements do alone: one entry each, in their order. */
  readonly alone: readonly Alone<Evidence>[]
  readonly minimalUnsafe: readonly Unsafe<Evidence>[]
  /** All together. */
  readonly all: Together<Evidence>
  /** Failures of all together that were allowed in this lattice; empty for the strict one. */
  readonly allowed: readonly Reason<Evidence>[]
  readonly landed: readonly LandedStep<Evidence>[]
}

export interface Together<Evidence> {
  readonly introduces: readonly Reason<Evidence>[]
  readonly repairs: readonly { readonly scenario: string; readonly check: string }[]
  /** Every scenario was searched: nothing else is introduced. */
  readonly complete: boolean
}

export interface Alone<Evidence> extends Together<Evidence> {
  readonly element: number
  readonly safe: boolean
}

export interface Unsafe<Evidence> {
  readonly set: number
  readonly reason: Reason<Evidence>
  /** Minimal safe sets that contain it. */
  readonly repairedBy: readonly number[]
}

/** A step that Linux took: what was there after it. */
export interface LandedStep<Evidence> extends Together<Evidence> {
  readonly since: string
  readonly added: number
  readonly set: number
  readonly commits: readonly string[]
  /** Introduced by this step: the step before had not. */
  readonly new: readonly Reason<Evidence>[]
}

/** The sets whose every failure is wanted, not only the first: each element alone, all together, and each step that Linux took. */
export function setsToSearchWhole(elements: readonly Element[]): number[] {
  const singles = elements.map((_, i) => 1 << i)
  return [0, 2 ** elements.length - 1, ...singles, ...landedSteps(elements).map(({ set }) => set)]
}

/** The sets after each step that Linux took, in its order. */
export function landedSteps(elements: readonly Element[]): { since: string; added: number; set: number; commits: readonly string[] }[] {
  const places = [...new Set(elements.flatMap(({ landed }) => (landed ? [landed.place] : [])))].sort((a, b) => a - b)
  let set = 0
  return places.map((place) => {
    const here = elements.flatMap((element, i) => (element.landed?.place === place ? [{ element, i }] : []))
    const added = here.reduce((bits, { i }) => bits | (1 << i), 0)
    set |= added
    return {
      since: [...new Set(here.map(({ element }) => element.landed?.since ?? ''))].join(', '),
      added,
      set,
      commits: [...new Set(here.flatMap(({ element }) => element.landed?.commits ?? []))],
    }
  })
}

/** Puts together what the judgement knows of one cut; `bitsOf` gives a set's switches. */
export function answerFor<Evidence>(
  cut: string,
  elements: readonly Element[],
  judgement: Judgement<Evidence>,
  bitsOf: (set: number) => number,
  allowed: readonly Reason<Evidence>[],
): CutAnswer<Evidence> {
  const isSafe = (set: number): boolean => judgement.status(bitsOf(set)) === 'safe'
  const found = lattice(elements.length, isSafe)
  const together = (set: number): Together<Evidence> => {
    const { failures, complete } = judgement.introduced(bitsOf(set))
    return { introduces: failures, repairs: judgement.repaired(bitsOf(set)), complete }
  }
  const all = Array.from({ length: found.full + 1 }, (_, set) => judgement.status(bitsOf(set)))
  let before = new Set<string>()
  return {
    cut,
    elements,
    lattice: found,
    safe: all.filter((status) => status === 'safe').length,
    undecided: all.filter((status) => status !== 'safe' && status !== 'unsafe').length,
    verdicts: all.map((status) => (status === 'safe' ? 's' : status === 'unsafe' ? 'u' : '?')).join(''),
    alone: elements.map((_, element) => ({ element, safe: isSafe(1 << element), ...together(1 << element) })),
    minimalUnsafe: found.minimalUnsafe.flatMap((set) => {
      const reason = judgement.reason(bitsOf(set))
      return reason ? [{ set, reason, repairedBy: minimalRepairs(set, found.full, isSafe) }] : []
    }),
    all: together(found.full),
    allowed,
    landed: landedSteps(elements).map((step) => {
      const now = together(step.set)
      const fresh = now.introduces.filter(({ scenario, check }) => !before.has(`${scenario} ${check}`))
      before = new Set(now.introduces.map(({ scenario, check }) => `${scenario} ${check}`))
      return { ...step, ...now, new: fresh }
    }),
  }
}

/** Ids of the elements in a set. */
export function idsOf(elements: readonly Element[], set: number): string[] {
  return members(set).map((i) => elements[i].id)
}
