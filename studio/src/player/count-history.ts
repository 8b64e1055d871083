/** How a page's count came to what it is: who raised and lowered it, in which step, for which reference. */
import { valueText } from '../../../src/report/values.ts'
import type { Path } from './path.ts'
import { holderName, type StateLayout } from './view-of-state.ts'

export interface CountChange {
  readonly step: number
  readonly thread: number
  readonly before: string
  readonly after: string
  /** References of the ledger that came or went in the same step. */
  readonly holders: readonly string[]
}

/** Changes of a page's count along a way. */
export function countHistory(layout: StateLayout, path: Pick<Path, 'states' | 'told'>, page: number): CountChange[] {
  const { name, count } = layout.pages[page]
  const cell = layout.cells.find(({ at }) => at === count.at)
  if (!cell) return []
  const held = layout.cells.filter((one) => one.part === 'page' && one.name.startsWith(`${name}.held.`))
  const text = (value: number): string => valueText(cell.column.display, value, layout.threads)
  return path.told.steps.flatMap((step, i) => {
    const [from, to] = [path.states[i], path.states[i + 1]]
    if (from[cell.at] === to[cell.at]) return []
    const holders = held.filter(({ at }) => from[at] !== to[at]).map((one) => holderName(one.name.slice(`${name}.held.`.length)))
    return [{ step: i + 1, thread: step.thread, before: text(from[cell.at]), after: text(to[cell.at]), holders }]
  })
}
