/** A page as a kernel developer thinks of it: its count, and who holds it. */
import type { Display, Program } from '../ir/program.ts'
import { type VectorShape, vectorShape } from '../ir/state.ts'
import { valueText } from './values.ts'

/** Ghost fields of `Page` whose name starts so are the ledger: `held.pte`, `held.gup_pin`. */
const LEDGER = 'held.'

/** One page: where its count and its ledger stand in a state. */
export interface PageView {
  readonly name: string
  readonly count: { readonly at: number; readonly display: Display }
  /** In the order of the model's declaration. */
  readonly holders: readonly { readonly name: string; readonly at: number }[]
}

/** Finds the pages of a program; a scenario whose pages keep no count has none. */
export function pageViews(program: Program, shape: VectorShape = vectorShape(program)): PageView[] {
  const pageColumns = program.columns.map((column, id) => ({ column, id })).filter(({ column }) => column.struct === 'Page')
  const counts = pageColumns.filter(({ column }) => column.display.kind === 'count')
  const count = counts.find(({ column }) => column.field === '_refcount') ?? counts[0]
  if (!count) return []
  const ledger = pageColumns.filter(({ column }) => column.ghost && column.field.startsWith(LEDGER))
  return count.column.cells.map((cell, i) => ({
    name: cell.slice(0, -(count.column.field.length + 1)),
    count: { at: shape.columnBase[count.id] + i, display: count.column.display },
    holders: ledger.map(({ column, id }) => ({ name: column.field.slice(LEDGER.length).replaceAll('_', ' '), at: shape.columnBase[id] + i })),
  }))
}

/** `page: count 1025 (held by: pte 1, gup pin 1)`; without a ledger the count alone. */
export function pageText(page: PageView, state: Int32Array): string {
  const count = `${page.name}: count ${valueText(page.count.display, state[page.count.at], [])}`
  if (page.holders.length === 0) return count
  const holders = page.holders.filter(({ at }) => state[at] !== 0).map(({ name, at }) => `${name} ${state[at]}`)
  return `${count} (${holders.length > 0 ? `held by: ${holders.join(', ')}` : 'held by nobody'})`
}

/** True if the page's count or one of its holders differs between two states. */
export function pageChanged(page: PageView, from: Int32Array, to: Int32Array): boolean {
  return from[page.count.at] !== to[page.count.at] || page.holders.some(({ at }) => from[at] !== to[at])
}
