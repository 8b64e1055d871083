/** The set-up of a scenario: executed as it is walked, alone, to make the state that the threads begin in. */
import { type Context, Refused } from './context.ts'
import type { ScenarioDeclaration } from './declarations.ts'
import { ModelError } from './diagnostic.ts'
import { ExecutingBuilder, SetUpFailed } from './executing-builder.ts'
import { GraphBuilder } from './graph-builder.ts'
import { initialCells } from './initial.ts'
import { contextOf, declareScenarioObjects, lowerThread } from './root.ts'
import { diagnosticAt, type Sources } from './source.ts'
import { type ColumnDraft, Unit } from './unit.ts'
import { rangeOf } from './value-type.ts'

/** What a set-up leaves. */
export interface Prepared {
  /** Values by cell, of all columns it touched. */
  readonly values: ReadonlyMap<string, number>
  /** Inputs it looked at. */
  readonly inputsRead: readonly string[]
}

/** Makes the context of a body. */
export type MakeContext = (thread: number, graph: GraphBuilder, setup: boolean) => Context

/** Runs the set-up. Throws `ModelError` where it does not end; what it complains of is in the unit. */
export function prepareBy(make: MakeContext, scenario: ScenarioDeclaration, attempt: (body: () => void) => void, on?: ReadonlySet<string>): Prepared {
  const context = make(-1, new GraphBuilder(), true)
  const { unit } = context
  if (!scenario.setup) return { values: new Map(), inputsRead: [] }
  const columnOf = (id: number): ColumnDraft => unit.columns[id]
  const initial = (id: number): readonly number[] => {
    const draft = columnOf(id)
    return draft.struct === unit.inputStruct ? [Number(on?.has(draft.field) ?? false)] : initialCells(context, draft).init
  }
  const builder = new ExecutingBuilder(initial, (id) => {
    const { type, struct, field } = columnOf(id)
    const [lo, hi] = rangeOf(type, unit.threadNames.length)
    return { name: `${struct.name}.${field}`, lo, hi }
  })
  try {
    lowerThread(make(0, builder, true), 'setup', scenario.setup, attempt)
  } catch (error) {
    if (!(error instanceof SetUpFailed)) throw error
    throw new ModelError([diagnosticAt(unit.sources, error.at, error.message, error.instead)])
  }
  const values = new Map<string, number>()
  for (const [id, cells] of builder.state) {
    const { cells: names } = initialCells(context, columnOf(id))
    names.forEach((name, i) => {
      if (cells[i] !== undefined) values.set(name, cells[i])
    })
  }
  return { values, inputsRead: [...builder.read].flatMap((id) => (columnOf(id).struct === unit.inputStruct ? [columnOf(id).field] : [])) }
}

/** The same for a template, under other switches; null if it knows objects that the template does not, or is wrong. */
export function setUpWith(
  sources: Sources,
  scenario: ScenarioDeclaration,
  switches: ReadonlyMap<string, boolean>,
  inputs: ReadonlySet<string>,
  on: ReadonlySet<string>,
  objects: ReturnType<Unit['objects']>,
): Prepared | null {
  const names = scenario.threads.map((thread) => thread.name)
  const unit = new Unit(sources, switches, names, undefined, () => undefined, inputs)
  unit.adopt(objects)
  const make: MakeContext = (thread, graph, setup) => contextOf(unit, thread, graph, setup)
  const attempt = (body: () => void): void => {
    try {
      body()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
  }
  attempt(() => declareScenarioObjects(make(-1, new GraphBuilder(), true), scenario))
  try {
    const prepared = prepareBy(make, scenario, attempt, on)
    const more = [...unit.objects()].some(([symbol, now]) => now.length > (objects.get(symbol)?.length ?? 0))
    return more || unit.diagnostics.length > 0 ? null : prepared
  } catch (error) {
    // A set-up that goes round for ever under other switches is wrong, too.
    if (error instanceof ModelError || error instanceof RangeError) return null
    throw error
  }
}
