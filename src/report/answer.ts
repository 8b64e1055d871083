/** What the patch of November 2021 would have done, said in words that follow from the verdicts. */
import { type Failure, failuresOf, type Run } from './run.ts'

/** A check that fails in a scenario; what `order` compares sets of changes by. */
export interface FailureAt {
  readonly scenario: string
  readonly about: string
  readonly run: Run
  readonly failure: Failure
}

export interface Comparison {
  /** Failures of the second kernel that the first does not have. */
  readonly introduces: readonly FailureAt[]
  /** Failures of the first that the second does not have. */
  readonly repairs: readonly FailureAt[]
}

/** Compares two kernels on the scenarios searched on both; a ledger failure alone is no consequence and is left out. */
export function compareKernels(runs: readonly Run[], before: string, after: string): Comparison {
  const of = (kernel: string): FailureAt[] =>
    runs
      .filter(({ exploration }) => exploration.program.kernel === kernel)
      .flatMap((run) => failuresOf(run).map((failure) => ({ scenario: run.exploration.program.scenario, about: run.exploration.program.about, run, failure })))
      .filter(({ failure }) => failure.check.kind !== 'ledger')
  const scenariosOf = (kernel: string): Set<string> =>
    new Set(runs.filter(({ exploration }) => exploration.program.kernel === kernel).map(({ exploration }) => exploration.program.scenario))
  const both = [...scenariosOf(before)].filter((scenario) => scenariosOf(after).has(scenario))
  const missing = (from: readonly FailureAt[], other: readonly FailureAt[]): FailureAt[] =>
    from.filter(
      ({ scenario, failure }) => both.includes(scenario) && !other.some((one) => one.scenario === scenario && one.failure.check.id === failure.check.id),
    )
  return { introduces: missing(of(after), of(before)), repairs: missing(of(before), of(after)) }
}

/** A failure and the scenarios whose worst new failure it is. */
export interface Headline {
  readonly name: string
  readonly kind: string
  readonly scenarios: readonly string[]
  /** Other checks that fail in those scenarios as well. */
  readonly others: number
}

/** The worst failure of each scenario, those together that are the same check; the most frequent first. */
export function headlines(failures: readonly FailureAt[]): Headline[] {
  const found = new Map<string, { name: string; kind: string; scenarios: string[]; others: number }>()
  for (const scenario of new Set(failures.map((one) => one.scenario))) {
    const own = failures.filter((one) => one.scenario === scenario)
    const { check } = own[0].failure
    const line = found.get(check.id) ?? { name: check.name, kind: check.kind, scenarios: [], others: 0 }
    line.scenarios.push(scenario)
    line.others += own.length - 1
    found.set(check.id, line)
  }
  return [...found.values()].sort((a, b) => b.scenarios.length - a.scenarios.length)
}
