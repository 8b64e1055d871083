/** What stands in the columns of the lanes: steps, and runs of steps that only read, folded. */
import type { DescribedStep, DescribedTrace } from '../../../src/report/describe.ts'
import { turnsOf } from '../../../src/report/turns.ts'

export interface LaneColumn {
  /** The position after it: as many steps have been made. */
  readonly to: number
  readonly thread: number
  /** Undefined for folded reads. */
  readonly step: DescribedStep | undefined
  readonly folded: number
  /** Another thread ran before. */
  readonly turn: boolean
  readonly repeats: boolean
  /** Why the thread stops here, if it does. */
  readonly ends: 'thread ended' | 'waits' | 'preempted' | 'trace ends' | undefined
}

/** The columns of a trace. With `folded` false every step has one of its own. */
export function columnsOf(trace: DescribedTrace, folded: boolean): LaneColumn[] {
  return turnsOf(trace).flatMap((turn) => {
    const first = turn.lastNumber - turn.items.reduce((sum, item) => sum + ('folded' in item ? item.folded : 1), 0)
    const items = folded ? turn.items : Array.from({ length: turn.lastNumber - first }, (_, i) => ({ step: trace.steps[first + i], number: first + i + 1 }))
    return items.map(
      (item, i): LaneColumn => ({
        to: item.number,
        thread: turn.thread,
        step: 'step' in item ? item.step : undefined,
        folded: 'folded' in item ? item.folded : 0,
        turn: i === 0,
        repeats: i === 0 && turn.repeats,
        ends: i === items.length - 1 ? turn.ends : undefined,
      }),
    )
  })
}

/** What a step did, in few words. */
export function deedOf(step: DescribedStep): string {
  if (step.failed) return step.choices[0] ?? 'an injected failure'
  const said = step.changes.map((change) => change.said)
  if (said.length > 0) return said.length === 1 ? said[0] : `${said[0]}; ${said.length - 1} more`
  if (step.ghost.length > 0) return step.ghost[0].said
  const read = step.moments.flatMap(({ reads }) => reads)[0]
  return read === undefined ? (step.choices[0] ?? '') : `reads ${read}`
}
