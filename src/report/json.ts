/** `putpage check --json`: the format `putpage-check/1`, described in docs/formats.md. */
import type { Exploration, Grain } from '../engine/verdict.ts'
import type { CheckKind } from '../ir/program.ts'
import { boundsLine } from './bounds.ts'
import { describeTrace } from './describe.ts'
import { type Failure, failuresOf, type Run } from './run.ts'
import { stableId } from './stable-id.ts'
import type { Shown } from './values.ts'

export const CHECK_FORMAT = 'putpage-check/1'

export interface CheckReport {
  readonly format: typeof CHECK_FORMAT
  readonly runs: readonly RunReport[]
}

export interface RunReport {
  readonly scenario: string
  readonly kernel: string
  readonly changes: readonly string[]
  readonly grain: Grain
  readonly bounds: string
  readonly verdict: Exploration['verdict']
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly seconds: number
  /** The first of `violations`; absent if there is none. */
  readonly violation?: ViolationReport
  readonly violations: readonly ViolationReport[]
}

export interface ViolationReport {
  readonly id: string
  readonly kind: CheckKind
  readonly property: string
  readonly message: string
  readonly steps: readonly StepReport[]
}

export interface StepReport {
  readonly thread: string
  readonly function: string
  /** Outermost first. */
  readonly stack: readonly string[]
  readonly file: string
  readonly line: number
  readonly text: string
  readonly changes: readonly { readonly what: string; readonly from: Shown; readonly to: Shown }[]
}

/** Makes the report of a set of runs. */
export function checkReport(runs: readonly Run[]): CheckReport {
  return { format: CHECK_FORMAT, runs: runs.map(runReport) }
}

function runReport(run: Run): RunReport {
  const { program, grain, verdict, states, transitions, depth, seconds } = run.exploration
  const violations = failuresOf(run).map((failure) => violationReport(run, failure))
  return {
    scenario: program.scenario,
    kernel: program.kernel,
    changes: program.changes,
    grain,
    bounds: boundsLine(run),
    verdict,
    states,
    transitions,
    depth,
    seconds,
    ...(violations.length > 0 ? { violation: violations[0] } : {}),
    violations,
  }
}

/** The failed checks of a run with their traces, worst first; `check` is the check's own id. */
export function violationReports(run: Run): { readonly check: string; readonly report: ViolationReport }[] {
  return failuresOf(run).map((failure) => ({ check: failure.check.id, report: violationReport(run, failure) }))
}

function violationReport(run: Run, { check, counterexample }: Failure): ViolationReport {
  const { program } = run.exploration
  const { scenario, kernel, changes } = program
  return {
    id: stableId({ scenario, kernel, changes, check: check.id }),
    kind: check.kind,
    property: check.name,
    message: check.message,
    steps: describeTrace(program, counterexample).steps.map(({ threadName, at, changes: changed }) => ({
      thread: threadName,
      function: at.function,
      stack: at.stack.map((frame) => frame.function).reverse(),
      file: at.file,
      line: at.line,
      text: at.text,
      changes: changed.map(({ what, from, to }) => ({ what, from, to })),
    })),
  }
}
