/** A trace cut into turns: stretches in which one thread runs, with the steps that only read folded away. */
import type { DescribedStep, DescribedTrace } from './describe.ts'

/** One step that is shown, or several that only read and are not. */
export type Item = { readonly step: DescribedStep; readonly number: number } | { readonly folded: number; readonly number: number }

export interface Turn {
  readonly thread: number
  readonly items: readonly Item[]
  /** The livelock repeats from the beginning of this turn. */
  readonly repeats: boolean
  /** Why another thread runs next. `preempted`: it could have gone on, the schedule took the processor away. */
  readonly ends: 'thread ended' | 'waits' | 'preempted' | 'trace ends'
  readonly last: DescribedStep
  readonly lastNumber: number
}

/** Cuts a trace into turns. A cycle begins a turn of its own, even in the middle of a thread's. */
export function turnsOf(trace: DescribedTrace): Turn[] {
  const { steps, cycleFrom } = trace
  const starts = steps.flatMap((step, i) => (i === 0 || steps[i - 1].thread !== step.thread || i === cycleFrom ? [i] : []))
  return starts.map((from, t) => {
    const to = starts[t + 1] ?? steps.length
    const last = steps[to - 1]
    const next = steps[to]
    return {
      thread: steps[from].thread,
      items: fold(steps, from, to),
      repeats: from === cycleFrom,
      ends: next === undefined || next.thread === last.thread ? 'trace ends' : last.ended ? 'thread ended' : last.waits ? 'waits' : 'preempted',
      last,
      lastNumber: to,
    }
  })
}

/** Folds the steps of a turn that only read and that nothing later hangs on. */
function fold(steps: readonly DescribedStep[], from: number, to: number): Item[] {
  // What a thread saw last before another one ran is what it acts upon when it goes on.
  const lastRead = steps.findLastIndex((step, i) => i >= from && i < to && step.onlyReads && step.readCells.length > 0)
  const items: Item[] = []
  let folded = 0
  for (let i = from; i < to; i++) {
    if (steps[i].onlyReads && i !== lastRead && i !== steps.length - 1 && !becomesStale(steps, i)) {
      folded++
      continue
    }
    if (folded > 0) items.push({ folded, number: i })
    folded = 0
    items.push({ step: steps[i], number: i + 1 })
  }
  if (folded > 0) items.push({ folded, number: to })
  return items
}

/** True if another thread changes what the step read before the reader looks again: half of a race. */
function becomesStale(steps: readonly DescribedStep[], read: number): boolean {
  const { thread, readCells } = steps[read]
  return readCells.some((cell) => {
    const next = steps.slice(read + 1).find((step) => (step.thread === thread ? step.readCells.includes(cell) : step.changes.some(({ what }) => what === cell)))
    return next !== undefined && next.thread !== thread
  })
}
