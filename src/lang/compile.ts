/** From model sources to a transition system: parse, check, lower, run the set-up, tidy. */
import type ts from 'typescript'
import type { Column, Program, Properties, Thread } from '../ir/program.ts'
import { inline } from './call.ts'
import { Refused, refuse } from './context.ts'
import { condition } from './convert.ts'
import { type Declarations, type PropertyDeclaration, readDeclarations, type ScenarioDeclaration } from './declarations.ts'
import { type Diagnostic, ModelError } from './diagnostic.ts'
import { place } from './expression.ts'
import { GraphBuilder } from './graph-builder.ts'
import { columnsNow } from './initial.ts'
import { noLockHeld } from './locks-at-end.ts'
import { type ModelStatement, statementKey, statementsBelow } from './outline.ts'
import { contextOf, declareScenarioObjects, lowerThread } from './root.ts'
import { columnName, settledBySyntax, settledColumns } from './settled.ts'
import { type MakeContext, type Prepared, prepareBy, setUpWith } from './setup.ts'
import { diagnosticAt, loadSources, type SourceHost, type Sources } from './source.ts'
import { columnsMoved, INPUTS, remembered, type Template, type TemplateParts, template } from './template.ts'
import { finishThread, loopWithoutAccess } from './thread-graph.ts'
import { hashProgram, settleConstants, usedColumns } from './tidy.ts'
import { type Settled, Unit } from './unit.ts'
import { displayOf, rangeOf } from './value-type.ts'
import { findWrites, type Writes } from './writes.ts'

/** A loaded set of model files: what they declare, and a compiler for each scenario on each kernel. */
export interface Model extends Declarations {
  /** Syntax and type errors, and mistakes in declarations; `compile` throws them with its own. */
  readonly mistakes: readonly Diagnostic[]
  /** The statements of all functions in files of a directory, `kernel/`. */
  statements(directory: string): ModelStatement[]
  readonly sources: Sources
  /** Keys of the statements that the last compilation made part of its program, set-up included. */
  lowered(): string[]
  /** Keys of those of them that its set-up ran. */
  loweredBySetup(): string[]
  /** What the last compilation found out before it made the program, for `CompileOptions.facts`. */
  facts(): Facts | undefined
  /** Every field the last compilation knew, as the set-up leaves it: also those that no thread touches and the program has not. Empty with `CompileOptions.facts`. */
  columns(): readonly Column[]
  /** Compiles one scenario. Throws `ModelError` with every mistake found. */
  compile(scenario: ScenarioDeclaration, options?: CompileOptions): Program
  /** Compiles one scenario on a kernel, with the switches `plus` and with some, which the kernel has not, as inputs. Throws `ModelError`: code may need their values. */
  compileTemplate(scenario: ScenarioDeclaration, kernel: string, inputs: readonly string[], plus?: readonly string[]): Template
}

export interface CompileOptions {
  /** A declared kernel; default the first. */
  readonly kernel?: string
  /** Switch names added to the kernel's set. */
  readonly with?: readonly string[]
  /** Switch names taken from it. */
  readonly without?: readonly string[]
  /**
   * What was found out about the same scenario on the same kernel in a variant of the model with the same set-up and objects: most
   * of the work. If it does not hold here (a field is written that never was), it is found out again.
   */
  readonly facts?: Facts
}

/** Name of the kernel where the model declares none. */
export const NO_KERNEL = 'none'

/**
 * Loads model files (absolute paths) and all they import. Throws `ModelError` on syntax and type errors; with `earlier`, a model that
 * differs in few files, it is faster and finds no type errors.
 */
export function loadModel(host: SourceHost, files: readonly string[], earlier?: Model): Model {
  const sources = loadSources(host, files, earlier?.sources)
  const declarations = readDeclarations(sources)
  const mistakes = [...sources.typeErrors, ...declarations.diagnostics]
  let facts: Facts | undefined
  let columns: readonly Column[] = []
  // Mistakes of the subset are looked for even when there are type errors, so that all come out in one run.
  return {
    ...declarations,
    mistakes,
    sources,
    statements: (directory) => statementsBelow(sources, directory),
    lowered: () => [...new Set([...sources.lowered, ...sources.loweredBySetup])].map((statement) => statementKey(sources, statement)),
    loweredBySetup: () => [...sources.loweredBySetup].map((statement) => statementKey(sources, statement)),
    facts: () => facts,
    columns: () => columns,
    compile(scenario, options = {}) {
      sources.lowered.clear()
      sources.loweredBySetup.clear()
      columns = []
      const kernel = declarations.kernels.find((preset) => preset.name === (options.kernel ?? preset.name))
      const on = new Set(kernel?.has ?? [])
      for (const name of options.with ?? []) on.add(name)
      for (const name of options.without ?? []) on.delete(name)
      const switches = new Map([...declarations.switches.keys()].map((name) => [name, on.has(name)]))
      const changes = [...(options.with ?? []).map((name) => `+${name}`), ...(options.without ?? []).map((name) => `-${name}`)]
      const pass = (known?: Facts): Lowered => {
        sources.lowered.clear()
        return lower(sources, scenario, switches, known, kernel?.name ?? NO_KERNEL, changes, mistakes)
      }
      if (options.facts) {
        facts = options.facts
        const { program, against } = pass(facts)
        if (!against) return program
      }
      // The first pass knows every field; the later ones need fewer.
      const final = settle((known) => {
        const passed = pass(known)
        if (!known) columns = passed.columns
        return passed
      })
      facts = final.facts
      return final.program
    },
    compileTemplate(scenario, kernelName, inputs, plus = []) {
      const kernel = declarations.kernels.find((preset) => preset.name === kernelName)
      // Where the situation exists only with some switches, no other program of it is asked for.
      const needed = new Set(scenario.kernels.includes(kernelName) ? [] : scenario.needs)
      const switches = new Map(
        [...declarations.switches.keys()].map((name) => [name, needed.has(name) || plus.includes(name) || (kernel?.has.includes(name) ?? false)]),
      )
      const of = new Set(inputs.filter((name) => !needed.has(name)))
      let last: { readonly objects: ReturnType<Unit['objects']>; readonly setUp: TemplateParts['setUp'] } | undefined
      const parts = (unsettled: ReadonlySet<string>): TemplateParts => {
        const pass = (known?: Facts): Lowered => lower(sources, scenario, switches, known, kernelName, [], mistakes, of, unsettled)
        const { program, facts, unwritten, initial, objects } = settle(pass)
        // The same set-up leaves the same, if it knows its objects by the same places.
        if (!last || !sameObjects(last.objects, objects))
          last = { objects, setUp: remembered((on): Prepared | null => setUpWith(sources, scenario, switches, of, on, objects)) }
        const { setUp } = last
        return { program, setUp, prepared: facts.prepared, initial, unwritten }
      }
      const first = parts(new Set())
      const moved = columnsMoved(first)
      return template(moved.size === 0 ? first : parts(moved))
    },
  }
}

function sameObjects(a: ReturnType<Unit['objects']>, b: ReturnType<Unit['objects']>): boolean {
  return (
    a.size === b.size &&
    [...a].every(
      ([symbol, objects]) =>
        objects.map(({ name }) => name).join() ===
        b
          .get(symbol)
          ?.map(({ name }) => name)
          .join(),
    )
  )
}

/** What one pass over a scenario tells the next. */
export interface Facts {
  readonly retired: ReadonlySet<string>
  readonly settled: Settled
  /** Values the set-up leaves, by cell. */
  readonly prepared: ReadonlyMap<string, number>
  /** The objects the set-up knows: those values refer to them by place, and threads may reach some by reference only. */
  readonly objects: ReturnType<Unit['objects']>
  /** Switches the set-up follows from. */
  readonly preparedBy: readonly string[]
}

interface Lowered {
  readonly program: Program
  readonly facts: Facts
  /** Where it does what the facts it was lowered with say never happens: those of them that hold. */
  readonly against?: Facts
  /** Every object it knows. */
  readonly objects: ReturnType<Unit['objects']>
  /** Values before the set-up, by cell. */
  readonly initial: ReadonlyMap<string, number>
  /** All columns, also those the program does not need. */
  readonly columns: readonly Column[]
  /** Cells that no thread writes, and the columns they belong to. */
  readonly unwritten: readonly { readonly cell: string; readonly column: string }[]
}

/**
 * Lowers until what was taken for granted holds of what came out. The first pass knows what the syntax tells: which fields no
 * thread can write. What it finds never to be written, and never to be retired, decides branches and spares checks in the
 * next; where that knows more objects, and reaches code that the first did not, it may find some of this to be wrong.
 */
function settle(pass: (known?: Facts) => Lowered): Lowered {
  let { facts } = pass()
  for (;;) {
    const lowered = pass(facts)
    if (!lowered.against) return { ...lowered, facts }
    facts = lowered.against
  }
}

const NO_WRITES: Writes = { fields: new Set(), retired: new Set(), unknown: true }

function lower(
  sources: Sources,
  scenario: ScenarioDeclaration,
  switches: ReadonlyMap<string, boolean>,
  known: Facts | undefined,
  kernel: string,
  changes: readonly string[],
  mistakes: readonly Diagnostic[],
  inputs: ReadonlySet<string> = new Set(),
  unsettled: ReadonlySet<string> = new Set(),
): Lowered {
  const unit = new Unit(
    sources,
    switches,
    scenario.threads.map((thread) => thread.name),
    known?.retired,
    known?.settled ?? (() => undefined),
    inputs,
  )
  const writes: Writes = known
    ? NO_WRITES
    : findWrites(
        unit,
        scenario.threads.map((thread) => thread.body),
      )
  if (!known) unit.retired = writes.retired
  unit.final = known !== undefined
  const base: MakeContext = (thread, graph, setup) => contextOf(unit, thread, graph, setup)
  const attempt = (body: () => void): void => {
    try {
      body()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
  }
  if (known) unit.adopt(known.objects)
  attempt(() => declareScenarioObjects(base(-1, new GraphBuilder(), true), scenario))
  const setUp = known ? undefined : prepareBy(base, scenario, attempt)
  const preparedBy = known ? known.preparedBy : [...unit.switchesRead]
  const context = base(-1, new GraphBuilder(), true)
  const prepared = known ? known.prepared : (setUp as Prepared).values
  const objects = known ? known.objects : unit.objects()
  const assumed = known ? undefined : settledBySyntax(context, writes, prepared, unsettled)
  if (assumed) unit.settled = assumed.settled
  const lowered = scenario.threads.map((thread, t) => lowerThread(base(t, new GraphBuilder(), false), thread.role, thread.body, attempt))
  const broken = assumed?.broken() ?? []
  if (broken.length > 0) return lower(sources, scenario, switches, undefined, kernel, changes, mistakes, inputs, new Set([...unsettled, ...broken]))

  const pure = { ...base(-1, new GraphBuilder(), false), pure: true, ghost: true }
  const property = ({ name, body }: PropertyDeclaration) => {
    const callee = place(pure, body as ts.Expression)
    if (callee.v !== 'function') return refuse(pure, body, 'a property is a function', '() => ...')
    const value = inline({ ...pure, stack: [{ name, file: scenario.file.fileName, calledAt: 0 }] }, body, callee, '', [])
    const { line, character } = scenario.file.getLineAndCharacterOfPosition(body.getStart())
    return {
      name,
      cond: condition(pure, body, value),
      at: { file: sources.displayPath(scenario.file), line: line + 1, column: character + 1, text: body.getText().replace(/\s+/g, ' '), stack: [] },
    }
  }
  const properties = (kind: 'always' | 'finally' | 'eventually') =>
    scenario[kind].flatMap((declaration) => {
      const found: (ReturnType<typeof property> & { check: number })[] = []
      attempt(() => {
        const said = { always: 'does not hold in a state reached', finally: 'does not hold at the end', eventually: 'never comes to hold' }[kind]
        found.push({
          ...property(declaration),
          check: unit.check(
            kind,
            `${kind}:${declaration.name}`,
            declaration.name,
            `${kind === 'always' ? 'Always' : kind === 'finally' ? 'Finally' : 'Eventually'} “${declaration.name}” ${said}.`,
            false,
          ),
        })
      })
      return found
    })
  const always = properties('always')
  const finallyHold = properties('finally')
  const eventually = properties('eventually')
  const sometimes = scenario.sometimes.flatMap((declaration) => {
    const found: (ReturnType<typeof property> & { exempt?: string })[] = []
    attempt(() => {
      const exempt = scenario.unreachable.get(declaration.name)?.get(kernel)
      found.push({ ...property(declaration), ...(exempt === undefined ? {} : { exempt }) })
    })
    return found
  })
  unit.check('deadlock', 'deadlock', 'deadlock', 'No thread can move, and they wait for one another.', false)
  unit.check('lost-wake', 'lost-wake', 'lost wake', 'A thread sleeps for ever although what it waits for holds: the wake-up was lost.', false)
  unit.check('sleeps', 'sleeps', 'sleeps for ever', 'A thread sleeps for ever: nobody is left to make its condition hold.', false)
  unit.check('livelock', 'livelock', 'livelock', 'Threads keep moving, and none of them ever gets done.', false)

  for (const thread of lowered) {
    for (const loop of loopWithoutAccess(thread.graph)) {
      const diagnostic = diagnosticAt(
        sources,
        loop,
        'this loop can go round without touching shared state',
        'a for loop with constant bounds, or step() in the loop',
      )
      unit.diagnostics.push(diagnostic)
    }
  }
  const all = inOrder(mistakes, unit.diagnostics)
  if (all.length > 0) throw new ModelError(all)

  const threads: Thread[] = lowered.map((thread, t) => ({
    name: scenario.threads[t].name,
    symmetry: scenario.threads[t].symmetry,
    ...finishThread(thread.graph, (draft) => {
      const [lo, hi] = rangeOf(draft.type, unit.threadNames.length)
      return { name: draft.name, lo, hi, display: displayOf(draft.type) }
    }),
  }))
  const columns = columnsNow(context, prepared)
  if (unit.diagnostics.length > 0) throw new ModelError(unit.diagnostics)
  if (unit.asksHeld) {
    const name = 'no lock is held'
    const at = { file: sources.displayPath(scenario.file), line: 1, column: 1, text: name, stack: [] }
    finallyHold.push({ name, cond: noLockHeld(columns), at, check: unit.check('finally', `finally:${name}`, name, 'A thread ended with a lock.', false) })
  }
  const withSeen = eventually.map((each) => {
    columns.push({
      field: each.name,
      struct: 'Eventually',
      cells: [`eventually ${each.name}`],
      lo: 0,
      hi: 1,
      display: { kind: 'bool' },
      ghost: true,
      init: [0],
    })
    return { ...each, seen: columns.length - 1 }
  })
  // No code is folded by ghost state: with inputs it may begin with other values.
  const open = (column: Column): boolean => column.struct === INPUTS || (column.ghost && inputs.size > 0) || unsettled.has(columnName(column))
  const found: Properties = { always, finally: finallyHold, eventually: withSeen, sometimes }
  const settled = settledColumns(unit, columns, unsettled)
  const written = new Set(unit.columns.filter((draft) => draft.written).map((draft) => draft.id))
  for (const each of withSeen) written.add(each.seen)
  const guarded = new Set(unit.columns.filter((draft) => draft.guarded && !draft.lockless).map((draft) => draft.id))
  const program = settleConstants(usedColumns({ columns, threads, properties: found }, guarded), written, open)
  const named = { scenario: scenario.name, about: scenario.about, bounds: scenario.bounds, kernel, changes, checks: unit.checks, hash: '' }
  const complete = { ...named, ...program }
  const against = known && heldOf(unit, known)
  const switchesRead = [...new Set([...preparedBy, ...unit.switchesRead])].sort()
  return {
    program: { ...complete, hash: hashProgram(complete), switchesRead, constants: enumerations(columns, program.columns) },
    ...(against ? { against } : {}),
    facts: { retired: unit.retiredNow, settled, prepared, objects, preparedBy },
    objects: unit.objects(),
    columns,
    initial: new Map(columnsNow(context, new Map()).flatMap(({ cells, init }) => cells.map((cell, i): [string, number] => [cell, init[i]]))),
    unwritten: columns.flatMap((column, c) => (written.has(c) || open(column) ? [] : column.cells.map((cell) => ({ cell, column: columnName(column) })))),
  }
}

/** The members that cells hold for ever, of columns that are no state. */
function enumerations(all: readonly Column[], used: readonly Column[]): Record<string, string> {
  const state = new Set(used.flatMap(({ cells }) => cells))
  const found: Record<string, string> = {}
  for (const { cells, display, init } of all) {
    if (display.kind !== 'enum') continue
    for (const [i, cell] of cells.entries()) if (!state.has(cell)) found[cell] = display.members[init[i]]
  }
  return found
}

/** What is left of facts where a program was lowered with them that they do not hold of; undefined if all of them hold. */
function heldOf(unit: Unit, known: Facts): Facts | undefined {
  const { columns, retiredNow } = unit
  const isKnown = (draft: (typeof columns)[number]): boolean => draft.struct.objects.some((_, object) => known.settled(draft, object, 0) !== undefined)
  const written = new Set(columns.filter((draft) => draft.written && !draft.ghost && isKnown(draft)).map(columnName))
  const objects = unit.objects()
  const more = [...objects].some(([symbol, now]) => now.length > (known.objects.get(symbol)?.length ?? 0))
  if (written.size === 0 && !more && [...retiredNow].every((struct) => known.retired.has(struct))) return undefined
  return {
    ...known,
    retired: new Set([...known.retired, ...retiredNow]),
    settled: (draft, object, element) => (written.has(columnName(draft)) ? undefined : known.settled(draft, object, element)),
    objects,
  }
}

/** By place; what the compiler makes of a line in which TypeScript found a mistake is left out. */
function inOrder(typeErrors: readonly Diagnostic[], own: readonly Diagnostic[]): Diagnostic[] {
  const said = new Set(typeErrors.map(({ file, line }) => `${file}:${line}`))
  const all = [...typeErrors, ...own.filter(({ file, line }) => !said.has(`${file}:${line}`))]
  return all.sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1))
}
