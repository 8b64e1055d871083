/** Exit codes: 0 passed, 1 violation or vacuous, 2 wrong usage or unreadable input, 3 inconclusive. */
import { unreachable } from '../ir/program.ts'
import type { Run } from './run.ts'

export type ExitCode = 0 | 1 | 2 | 3

/** When several are due the first of these wins. */
const PRECEDENCE: readonly ExitCode[] = [2, 1, 3, 0]

/** Joins the codes of several runs: 2 over 1 over 3 over 0. */
export function combineExitCodes(codes: readonly ExitCode[]): ExitCode {
  return PRECEDENCE.find((code) => codes.includes(code)) ?? 0
}

/** The exit code of a set of runs. A vacuous run is a failure: it says nothing about what it was written for. */
export function exitCode(runs: readonly Run[]): ExitCode {
  return combineExitCodes(runs.map(({ exploration }) => codeOf(exploration.verdict)))
}

function codeOf(verdict: Run['exploration']['verdict']): ExitCode {
  switch (verdict) {
    case 'pass':
      return 0
    case 'violation':
    case 'vacuous':
      return 1
    case 'inconclusive':
      return 3
    default:
      return unreachable(verdict)
  }
}
