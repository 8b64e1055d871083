/** Steps worth going to: those where a check fails, and those that change a page. */
import type { Check } from '../../../src/ir/program.ts'
import { type follow, type machineOf, wrongWith } from './path.ts'
import type { layoutOf } from './view-of-state.ts'

/** Checks that fail in a step or in the state after it, by the number of the step. */
export function failuresBySteps(machine: ReturnType<typeof machineOf>, path: ReturnType<typeof follow>): Map<number, readonly Check[]> {
  const found = new Map<number, readonly Check[]>()
  const known = new Set<string>()
  path.told.steps.forEach((step, i) => {
    const state = path.states[i + 1]
    const last = i === path.steps.length - 1
    const wrong = [...step.violations, ...(last && path.fatal ? [] : wrongWith(machine, state))]
    // A property that stays broken is told once.
    const fresh = wrong.filter((check) => !known.has(check.id))
    for (const check of fresh) known.add(check.id)
    if (fresh.length > 0) found.set(i + 1, fresh)
  })
  // A livelock fails in no state: its cycle ends here.
  const livelock = machine.run.program.checks.filter(({ kind }) => kind === 'livelock')
  if (path.cycleFrom !== undefined) found.set(path.steps.length, [...(found.get(path.steps.length) ?? []), ...livelock])
  return found
}

/** The steps that change a page: its count, its holders or another of its fields. */
export function changesOfPage(layout: ReturnType<typeof layoutOf>, states: readonly Int32Array[], page: number): number[] {
  const name = layout.pages[page]?.name
  const cells = layout.cells.filter((cell) => cell.part === 'page' && name !== undefined && cell.name.startsWith(`${name}.`))
  return states.flatMap((state, i) => (i > 0 && cells.some(({ at }) => state[at] !== states[i - 1][at]) ? [i] : []))
}
