/** `putpage bugs`: what the checks say of each known bug. The format `putpage-bugs/1` is described in docs/formats.md. */
import type { Exploration } from '../engine/verdict.ts'

export const BUGS_FORMAT = 'putpage-bugs/1'

export type BugVerdict = 'found' | 'absent' | 'not applicable' | 'inconclusive'

export interface BugsReport {
  readonly format: typeof BUGS_FORMAT
  readonly bugs: readonly BugReport[]
}

export interface BugReport {
  readonly id: string
  readonly about: string
  readonly kernels: Readonly<Record<string, BugCell>>
  /** Absent where no fix is known. */
  readonly reverted?: Reverted
}

/** What one kernel has of a bug. */
export interface BugCell {
  readonly verdict: BugVerdict
  /** The scenario that says so. */
  readonly scenario?: string
  /** The check that failed, and the length of its shortest counterexample. */
  readonly check?: string
  readonly steps?: number
  /** Why not applicable, or not decided. */
  readonly reason?: string
}

/** The same with one fix taken out of the nearest kernel that has it. */
export interface Reverted extends BugCell {
  readonly kernel: string
  /** The commit if it is that switch alone, otherwise the switch. */
  readonly without: string
  /** Why the bug looks as it does there. */
  readonly why?: string
}

/** A scenario that shows a bug, on one kernel. */
export interface Evidence {
  readonly scenario: string
  /** How the ids of the checks begin that are the bug; undefined if nobody has said. */
  readonly checks: readonly string[] | undefined
  /** Undefined: the scenario makes no sense on this kernel. */
  readonly exploration: Exploration | undefined
}

/** What one scenario says: found only by the very check; absent only if every such check passed a complete search that was about something. */
export function judgeScenario({ scenario, checks: wanted, exploration }: Evidence): BugCell {
  if (!exploration) return { verdict: 'not applicable', scenario, reason: 'the scenario makes no sense on this kernel' }
  const { program, checks, sometimes } = exploration
  const idOf = (check: number): string => program.checks[check].id
  const asked = checks.filter(({ check }) => wanted === undefined || wanted.some((begin) => idOf(check).startsWith(begin)))
  const failed = asked.filter(({ outcome }) => outcome === 'violation')
  const inconclusive = (reason: string): BugCell => ({ verdict: 'inconclusive', scenario, reason })
  if (wanted === undefined && failed.length > 0)
    return inconclusive(`the scenario fails (${idOf(failed[0].check)}), and kernel/known-bugs.ts does not say which check is the bug`)
  const [shortest] = failed
    .map(({ check, counterexample }) => ({ check: idOf(check), steps: counterexample?.steps.length ?? 0 }))
    .sort((a, b) => a.steps - b.steps || (a.check < b.check ? -1 : 1))
  if (shortest) return { verdict: 'found', scenario, ...shortest }
  if (!exploration.complete) return inconclusive(exploration.limit ?? 'the search did not end')
  const open = asked.find(({ outcome }) => outcome !== 'pass')
  if (open)
    return inconclusive(`${idOf(open.check)} is ${open.outcome}${open.outcome === 'masked' ? ': another failure ends paths on which it might fail' : ''}`)
  // Code that the kernel never gets to has no checks; then no path may have ended before it could.
  const masked = checks.find(({ outcome }) => outcome === 'masked')
  if (asked.length === 0 && masked) return inconclusive(`${idOf(masked.check)} is masked: another failure ends paths`)
  const never = sometimes.filter(({ reached }) => !reached)
  const vacuous = never.find(({ exempt }) => exempt === undefined)
  if (vacuous) return inconclusive(`the scenario is vacuous: never ${vacuous.name}`)
  if (never.length > 0) return { verdict: 'not applicable', scenario, reason: `never ${never[0].name}: ${never[0].exempt}` }
  return { verdict: 'absent', scenario }
}

/** What all scenarios that show a bug say together of one kernel. `notApplicable`: why the bug cannot be there, if it was declared. */
export function judgeBug(evidence: readonly Evidence[], notApplicable: string | undefined): BugCell {
  const cells = evidence.map(judgeScenario)
  const of = (verdict: BugVerdict): BugCell[] => cells.filter((cell) => cell.verdict === verdict)
  const [found] = of('found').sort((a, b) => (a.steps ?? 0) - (b.steps ?? 0))
  if (found) return found
  // A reason is no answer of a search: it stands for one only where none of them found anything.
  if (notApplicable !== undefined) return { verdict: 'not applicable', reason: notApplicable }
  return of('inconclusive')[0] ?? of('absent')[0] ?? of('not applicable')[0] ?? { verdict: 'inconclusive', reason: 'no scenario shows it' }
}
