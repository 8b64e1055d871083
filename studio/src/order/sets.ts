/** What an answer tells of any set of changes: its verdict, why, what is missing, and what may land next. Sets are bits. */
import { judgementFrom } from '../../../src/order/knowledge.ts'
import { lattice, members, minimalRepairs, sizeOf } from '../../../src/order/lattice.ts'
import type { OrderCut, OrderReport, Reason } from './report.ts'

export type Verdict = 'safe' | 'unsafe' | 'undecided'

export const SIGN: Record<Verdict, string> = { safe: '✓', unsafe: '✖', undecided: '?' }

/** Why a set is as it is. */
export interface Told {
  readonly verdict: Verdict
  /** What fails with it, and not without: all that is known. */
  readonly breaks: readonly Reason[]
  /** Every situation was searched for it: nothing else fails. */
  readonly complete: boolean
  /** What fails without, and not with it: as far as it was searched. */
  readonly repairs: number
}

export class Sets {
  readonly cut: OrderCut
  readonly full: number
  readonly ids: readonly string[]
  /** Safe sets that safe steps lead to, groups included. */
  readonly reached: ReadonlySet<number>
  /** Groups that must land together. */
  readonly groups: readonly { readonly members: number; readonly onto: number }[]
  /** Elements that decide nothing, as bits. */
  readonly free: number
  /** Safe sets by how many elements they have. */
  readonly layers: readonly (readonly number[])[]
  private readonly report: OrderReport
  private readonly allowed: ReadonlySet<string>

  constructor(report: OrderReport, cut: OrderCut) {
    this.report = report
    this.cut = cut
    this.ids = cut.elements.map(({ id }) => id)
    this.full = 2 ** cut.elements.length - 1
    this.allowed = new Set(cut.allowed.map(failureName))
    const found = lattice(cut.elements.length, (set) => cut.verdicts[set] === 's')
    this.reached = found.reachableWithGroups
    this.groups = found.groups
    this.free = cut.undecided > 0 ? 0 : found.free.reduce((bits, i) => bits | (1 << i), 0)
    const layers: number[][] = Array.from({ length: cut.elements.length + 1 }, () => [])
    for (let set = 0; set <= this.full; set++) if (cut.verdicts[set] === 's') layers[sizeOf(set)].push(set)
    this.layers = layers
  }

  verdict(set: number): Verdict {
    const letter = this.cut.verdicts[set]
    return letter === 's' ? 'safe' : letter === 'u' ? 'unsafe' : 'undecided'
  }

  /** The set's number from ids; what is no element is left out. */
  setOf(ids: readonly string[]): number {
    return ids.reduce((set, id) => (this.ids.includes(id) ? set | (1 << this.ids.indexOf(id)) : set), 0)
  }

  /** `2 device-coherent + 5 no-pgmap-test-in-gup`. */
  named(set: number, between = ' + '): string {
    return set === 0
      ? 'none'
      : members(set)
          .map((i) => `${i + 1} ${this.ids[i]}`)
          .join(between)
  }

  switchesOf(set: number): string[] {
    return [...new Set(members(set).flatMap((i) => this.cut.elements[i].switches))]
  }

  /** What is known of some sets. */
  told(sets: readonly number[]): Told[] {
    const { switches } = this.report
    const bitsOf = (set: number): number =>
      this.switchesOf(set).reduce((bits, name) => (switches.includes(name) ? bits | (1 << switches.indexOf(name)) : bits), 0)
    const judgement = judgementFrom(this.report, sets.map(bitsOf))
    return sets.map((set) => {
      const { failures, complete } = judgement.introduced(bitsOf(set))
      const breaks = failures
        .filter((failure) => !this.allowed.has(failureName(failure)))
        .map(({ scenario, check, evidence: { kind, message } }) => ({ scenario, check, kind, message }))
      return { verdict: this.verdict(set), breaks, complete, repairs: judgement.repaired(bitsOf(set)).length }
    })
  }

  /** In how many situations a search read one of the element's switches: there it acts. */
  actsIn(element: number): number {
    const { switches, situations } = this.report
    const mask = this.cut.elements[element].switches.reduce((bits, name) => (switches.includes(name) ? bits | (1 << switches.indexOf(name)) : bits), 0)
    return situations.filter(({ searched }) => searched.some(([read]) => (read & mask) !== 0)).length
  }

  /** Least additions that make a set safe. */
  missing(set: number): number[] {
    return minimalRepairs(set, this.full, (one) => this.verdict(one) === 'safe').map((whole) => whole & ~set)
  }

  /** Least parts of a set without which it is safe; the set itself need not be tried. */
  tooMuch(set: number): number[] {
    const found: number[] = []
    const parts: number[] = []
    for (let part = set; part > 0; part = (part - 1) & set) if (this.verdict(set & ~part) === 'safe') parts.push(part)
    parts.sort((a, b) => sizeOf(a) - sizeOf(b) || a - b)
    for (const part of parts) if (!found.some((smaller) => (smaller & part) === smaller)) found.push(part)
    return found
  }
}

function failureName({ scenario, check }: { readonly scenario: string; readonly check: string }): string {
  return `${scenario} ${check}`
}
