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

/** One line for each check, with the scenarios that show it: the worst first. */
export function byCheck(failures: readonly FailureAt[]): { readonly name: string; readonly kind: string; readonly scenarios: readonly string[] }[] {
  const found = new Map<string, { name: string; kind: string; scenarios: string[] }>()
  for (const { scenario, failure } of failures) {
    const line = found.get(failure.check.id) ?? { name: failure.check.name, kind: failure.check.kind, scenarios: [] }
    if (!line.scenarios.includes(scenario)) line.scenarios.push(scenario)
    found.set(failure.check.id, line)
  }
  return [...found.values()]
}
