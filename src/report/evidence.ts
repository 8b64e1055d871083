/** What shows that a set of changes breaks something. */
import type { CheckKind } from '../ir/program.ts'
import type { StepReport } from './json.ts'

/** A failed check, or something that has to happen sometimes and never does. */
export interface Evidence {
  readonly kind: CheckKind | 'vacuous'
  readonly property: string
  readonly message: string
}

/** The steps that lead to a failed check; none where something never happens. */
export interface Trace {
  readonly check: string
  readonly steps: readonly StepReport[]
}
