/** Which cells hold one value for ever: they decide branches while the model is lowered. */
import type { Column } from '../ir/program.ts'
import type { Context } from './context.ts'
import { initialCells } from './initial.ts'
import type { ColumnDraft, Settled, Unit } from './unit.ts'
import type { Struct, ValueType } from './value-type.ts'
import type { Writes } from './writes.ts'

/** Values of the columns no thread writes, once all threads are known; not of those that are to stay open. */
export function settledColumns(unit: Unit, columns: readonly Column[], unsettled: ReadonlySet<string>): Settled {
  const settled = new Map<string, { readonly cells: ReadonlyMap<string, number>; readonly all?: number }>()
  for (const draft of unit.columns) {
    if (draft.written || draft.ghost || unsettled.has(columnName(draft))) continue
    const { init } = columns[draft.id]
    const cells = new Map(init.map((value, i) => [`${draft.struct.objects[Math.floor(i / draft.perObject)].name}#${i % draft.perObject}`, value]))
    settled.set(columnName(draft), { cells, ...(init.length > 0 && init.every((value) => value === init[0]) ? { all: init[0] } : {}) })
  }
  return (column, object, element) => {
    const values = settled.get(columnName(column))
    if (!values || object === undefined) return values?.all
    return values.cells.get(`${column.struct.objects[object]?.name}#${element}`)
  }
}

/** Names a column in whatever pass: its structure and field. */
export function columnName({ struct, field }: Pick<ColumnDraft, 'field'> & { readonly struct: string | Struct }): string {
  return `${typeof struct === 'string' ? struct : struct.name} ${field}`
}

/**
 * The same before any thread, or a part of the set-up, is lowered: from the fields that reachable functions assign. A cell of an object chosen at run
 * time is taken as constant while all objects known so far agree. Both are assumptions; `broken` names, after the lowering, the
 * columns of which code that was found reachable under them breaks them. If there is none they hold: they hold at first, and
 * no step ends them. Else the lowering is done again with those `unsettled`.
 */
export function settledBySyntax(
  context: Context,
  writes: Writes,
  prepared: ReadonlyMap<string, number>,
  unsettled: ReadonlySet<string>,
): { readonly settled: Settled; readonly broken: () => string[] } {
  const used = new Map<ColumnDraft, number | undefined>()
  const valueIn = (column: ColumnDraft, at: number): number | undefined => {
    const values = initialCells(context, column)
    return prepared.get(values.cells[at]) ?? values.init[at]
  }
  const common = (column: ColumnDraft): number | undefined => {
    const { cells, init } = initialCells(context, column)
    const values = new Set(init.map((value, i) => prepared.get(cells[i]) ?? value))
    return values.size === 1 ? [...values][0] : undefined
  }
  const remembered = new Map<string, number | undefined>()
  const once = (key: string, compute: () => number | undefined): number | undefined => {
    if (!remembered.has(key)) remembered.set(key, compute())
    return remembered.get(key)
  }
  return {
    settled(column, object, element) {
      if (writes.unknown || column.field === 'memory' || unsettled.has(columnName(column)) || fieldsOf(column).some((field) => writes.fields.has(field)))
        return undefined
      if (object === undefined) {
        const value = once(`${column.id} of ${column.struct.objects.length}`, () => common(column))
        if (value !== undefined) used.set(column, value)
        return value
      }
      const value = once(`${column.id} ${object} ${element}`, () => valueIn(column, object * column.perObject + element))
      if (!used.has(column)) used.set(column, undefined)
      return value
    },
    broken: () => [...used].flatMap(([column, value]) => (column.written || (value !== undefined && common(column) !== value) ? [columnName(column)] : [])),
  }
}

/** `Class.field` of each step of a column's path. */
function fieldsOf(column: ColumnDraft): string[] {
  const fields: string[] = []
  let struct: Struct | undefined = column.struct
  for (const segment of column.path) {
    if (!('field' in segment)) continue
    const type: ValueType | undefined = struct?.fields.get(segment.field)?.type
    if (!struct || !type) break
    fields.push(`${struct.name}.${segment.field}`)
    let inner: ValueType = type
    while (inner.k === 'array') inner = inner.element
    struct = inner.k === 'inside' ? inner.struct : undefined
  }
  return fields
}
