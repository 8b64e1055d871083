/** One search as the reports see it, and the order in which its failures are told. */
import type { CheckVerdict, Counterexample, Exploration } from '../engine/verdict.ts'
import type { Check, CheckKind } from '../ir/program.ts'
import type { StepTaken } from './model-step.ts'

/** One scenario on one kernel, searched. Scenario, kernel and changes are those of `exploration.program`. */
export interface Run {
  readonly exploration: Exploration
  /** Which steps of the model it took, if that was asked for. */
  readonly coverage?: readonly StepTaken[]
  /** With it: keys of the statements of the model that this run's program contains. */
  readonly lowered?: readonly string[]
}

/** A failed check with its trace. */
export interface Failure {
  readonly check: Check
  readonly verdict: CheckVerdict
  readonly counterexample: Counterexample
}

/** Worst first. A ledger failure that no kernel would notice comes last: whatever it leads to has a failure of its own. */
const RANK: readonly CheckKind[] = [
  'use-after-free',
  'bug',
  'warn',
  'deadlock',
  'lost-wake',
  'sleeps',
  'livelock',
  'always',
  'finally',
  'eventually',
  'range',
  'race',
  'ledger',
]

/** The failed checks of a run: worst kind first, then the shortest trace, then by id, so that the order never depends on the search. */
export function failuresOf(run: Run): Failure[] {
  const { program, checks } = run.exploration
  return checks
    .flatMap((verdict) => {
      const { counterexample } = verdict
      return verdict.outcome === 'violation' && counterexample ? [{ check: program.checks[verdict.check], verdict, counterexample }] : []
    })
    .sort(
      (a, b) =>
        RANK.indexOf(a.check.kind) - RANK.indexOf(b.check.kind) ||
        a.counterexample.steps.length - b.counterexample.steps.length ||
        (a.check.id < b.check.id ? -1 : 1),
    )
}
