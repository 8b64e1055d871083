/** Reads and writes of shared state: where each becomes a step, and which checks go with it. */
import type ts from 'typescript'
import type { Expr, Place } from '../ir/program.ts'
import { type Context, position, refuse, scalar } from './context.ts'
import { assumeInvariants } from './function-body.ts'
import type { ColumnDraft, Segment } from './unit.ts'
import { binary, not, number, type PlaceValue, type Value } from './value.ts'
import { isScalar, type ScalarType, type Struct, typeName, type ValueType } from './value-type.ts'

/** The object itself, as a place. */
export function objectPlace(struct: Struct, object: Expr): PlaceValue {
  return { v: 'place', struct, object, path: [], indices: [], type: { k: 'inside', struct }, ghost: false }
}

/** A field of a structure, not read yet. */
export function fieldPlace(context: Context, node: ts.Node, base: PlaceValue, name: string): PlaceValue {
  if (base.type.k !== 'inside') return refuse(context, node, `${typeName(base.type)} has no field ${name}`, 'a field of a structure')
  const field = base.type.struct.fields.get(name)
  if (!field) return refuse(context, node, `${base.type.struct.name} has no field ${name} that the compiler understood`, 'one of its declared fields')
  const guard = field.guard === undefined ? base.guard : { holder: base, path: field.guard }
  return { ...base, path: [...base.path, { field: name }], type: field.type, guard, ghost: base.ghost || field.ghost }
}

/** An element of an array. A constant index into an array by member or thread is checked by TypeScript already. */
export function elementPlace(context: Context, node: ts.Node, base: PlaceValue, index: Expr, fieldName?: string): PlaceValue {
  if (base.type.k !== 'array') return refuse(context, node, `${typeName(base.type)} cannot be indexed`, 'an array')
  // One column a member of a union: each is a name of its own to a reader.
  if (fieldName !== undefined) return { ...base, path: [...base.path, { field: fieldName }], type: base.type.element }
  const segment: Segment = { length: base.type.length, perThread: base.type.by === 'thread' }
  return { ...base, path: [...base.path, segment], indices: [...base.indices, index], type: base.type.element }
}

/** The value at a place: a step, unless the context says otherwise. */
export function read(context: Context, node: ts.Node, place: PlaceValue): Value {
  const type = place.type
  if (type.k === 'inside' || type.k === 'array') return place
  const columns = columnsOf(context, node, place)
  const places = columns.map((column) => cell(place, column))
  if (place.ghost && !context.ghost && !context.pure)
    refuse(context, node, 'ghost state is for properties and reports', 'a field that is not Ghost, or ghost(() => ...)')
  if (context.lockless && !context.setup) for (const column of columns) column.lockless = true
  const constants = columns.map((column, i) => context.unit.settledValue(column, places[i].index))
  if (constants.length > 0 && constants.every((value) => value !== undefined)) {
    if (!context.pure) checkMemory(context, node, place)
    return valueAt(
      type,
      constants.map((value) => number(value as number)),
    )
  }
  if (context.pure)
    return valueAt(
      type,
      places.map((at): Expr => ({ e: 'load', place: at })),
    )
  const dsts = columns.map((column) => context.graph.newLocal(temporaryName(context, column), column.type))
  context.graph.emit({ op: 'load', at: position(context, node), dsts, places, access: stepsAt(context, place) })
  checkMemory(context, node, place)
  checkRace(context, node, place, false)
  const value = valueAt(
    type,
    dsts.map((local): Expr => ({ e: 'local', local })),
  )
  assumeInvariants(context, node, value)
  return value
}

/** Stores `values` (one a column of the place). */
export function write(context: Context, node: ts.Node, place: PlaceValue, values: readonly Expr[]): void {
  if (context.pure) refuse(context, node, 'a condition cannot write', 'the assignment outside of the condition')
  const columns = columnsOf(context, node, place)
  if (context.ghost && !place.ghost && !context.setup) refuse(context, node, 'ghost code cannot write what the model reads', 'a Ghost field')
  if (!context.setup) {
    for (const column of columns) {
      column.written = true
      if (context.lockless) column.lockless = true
    }
  }
  context.graph.emit({
    op: 'store',
    at: position(context, node),
    places: columns.map((column) => cell(place, column)),
    values,
    access: stepsAt(context, place),
  })
  checkMemory(context, node, place)
  checkRace(context, node, place, true)
}

function valueAt(type: ValueType, parts: readonly Expr[]): Value {
  if (type.k === 'word') return { v: 'word', type, parts }
  return scalar(parts[0], type as ScalarType)
}

function stepsAt(context: Context, place: PlaceValue): boolean {
  return !(context.inStep || context.ghost || place.ghost)
}

function temporaryName(context: Context, column: ColumnDraft): string {
  return `${context.stack[context.stack.length - 1]?.name ?? ''}.${column.field}`
}

function columnsOf(context: Context, node: ts.Node, place: PlaceValue): ColumnDraft[] {
  const attributes = { ghost: place.ghost, guarded: place.guard !== undefined }
  if (place.type.k === 'word') {
    const word = place.path.map((segment) => ('field' in segment ? segment.field : '')).join('.')
    return place.type.fields.map((field) => context.unit.column(place.struct, [...place.path, { field: field.name }], field.type, { ...attributes, word }))
  }
  if (!isScalar(place.type)) return refuse(context, node, `${typeName(place.type)} is not a value`, 'one of its fields or elements')
  return [context.unit.column(place.struct, place.path, place.type, attributes)]
}

function cell(place: PlaceValue, column: ColumnDraft): Place {
  let index = place.object
  let dimension = 0
  for (const segment of place.path) if ('length' in segment) index = binary('+', binary('*', index, number(segment.length)), place.indices[dimension++])
  return { column: column.id, index }
}

/** After an access: the object's memory must still be in use. */
function checkMemory(context: Context, node: ts.Node, place: PlaceValue): void {
  const { unit } = context
  if (place.ghost || context.ghost || context.setup || !unit.retired.has(place.struct.name)) return
  const where = context.stack[context.stack.length - 1].name
  const check = unit.check(
    'use-after-free',
    `use-after-free:${place.struct.name} in ${where}`,
    `use of a ${place.struct.name} after its memory is gone, in ${where}`,
    `${where}() uses a ${place.struct.name} whose memory is gone.`,
    true,
  )
  const fails = binary('==', { e: 'load', place: { column: unit.memory(place.struct).id, index: place.object } }, number(1))
  context.graph.emit({ op: 'check', at: position(context, node), check, fails })
}

/** After an access to a guarded field: its lock must be held. */
function checkRace(context: Context, node: ts.Node, place: PlaceValue, writes: boolean): void {
  const { guard } = place
  if (!guard || context.lockless || context.setup || context.ghost) return
  const field = place.path
    .map((segment) => ('field' in segment ? segment.field : ''))
    .join('.')
    .replace(/\.+$/, '')
  const where = context.stack[context.stack.length - 1].name
  const check = context.unit.check(
    'race',
    `race:${place.struct.name}.${field} in ${where}`,
    `data race on ${place.struct.name}.${field} in ${where}`,
    `${where}() ${writes ? 'writes' : 'reads'} ${place.struct.name}.${field} without ${guard.path}, which guards it.`,
    false,
  )
  const held = lockHeld(context, node, guard.holder, guard.path, writes)
  context.graph.emit({ op: 'check', at: position(context, node), check, fails: not(held) })
}

/** True while this thread holds the lock: its `owner` is this thread or, for reading, it is among the `readers`. */
function lockHeld(context: Context, node: ts.Node, holder: PlaceValue, path: string, writes: boolean): Expr {
  const pure: Context = { ...context, pure: true, ghost: true }
  let lock = holder
  for (const name of path.split('.')) {
    lock = fieldPlace(pure, node, lock, name)
    if (lock.type.k === 'ref') {
      const reference = read(pure, node, lock)
      if (reference.v === 'scalar') lock = objectPlace(lock.type.struct, binary('-', reference.expr, number(1)))
    }
  }
  if (lock.type.k !== 'inside') return refuse(context, node, `${path} is no lock`, 'the name of a field that is a lock, with an owner')
  let held: Expr = number(0)
  if (lock.type.struct.fields.has('owner')) {
    const owner = read(pure, node, fieldPlace(pure, node, lock, 'owner'))
    if (owner.v === 'scalar') held = binary('==', owner.expr, number(context.thread + 1))
  }
  if (!writes && lock.type.struct.fields.has('readers')) {
    const readers = read(pure, node, elementPlace(pure, node, fieldPlace(pure, node, lock, 'readers'), number(context.thread)))
    if (readers.v === 'scalar') held = binary('||', held, readers.expr)
  }
  return held
}
