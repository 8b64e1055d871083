/**
 * The functions of a model, each lowered by itself: not in a scenario, but with any arguments and in any world. Who asks what
 * a function can do whatever the state reads this (role automata, which paths wake); the search never does.
 */
import ts from 'typescript'
import type { FunctionBody } from '../ir/body.ts'
import { runBody } from './call.ts'
import { type Binding, type Context, childScope, Refused, refuse } from './context.ts'
import { type KernelPreset, readDeclarations } from './declarations.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { Switch } from './model.ts'
import { loadSources, type SourceHost } from './source.ts'
import { finishThread } from './thread-graph.ts'
import { Unit } from './unit.ts'
import { number, type Value } from './value.ts'
import { displayOf, int, rangeOf, type ScalarType, type Struct, type ValueType } from './value-type.ts'

/** A modelled function, with what its comment says to tools. */
export interface ModelFunction {
  readonly name: string
  /** Relative to the package: `kernel/mm/memory.ts`. */
  readonly file: string
  /** `@kernel a b`: functions that stand in a kernel's stacks for this one: inlined into or around it, or named so in some release. */
  readonly aliases: readonly string[]
  /** `@reference`: takes or gives back a reference for its caller, and says nothing of who that is. */
  readonly reference: boolean
  /** `@event page_ref_mod`: the tracepoint of a primitive that changes the count. */
  readonly event: string | undefined
  /** `@wakes`, `@waits`: of a primitive; sleepers on a page's count are woken; the caller sleeps until the count is idle. */
  readonly wakes: boolean
  readonly waits: boolean
  /** `@primitive`: shown where it is called. */
  readonly primitive: boolean
  /** Names that its body calls, whatever the switches. */
  readonly calls: readonly string[]
}

export interface FunctionLibrary {
  readonly functions: readonly ModelFunction[]
  readonly kernels: readonly KernelPreset[]
  readonly switches: ReadonlyMap<string, Switch>
  /** The function's body under a set of switches; undefined if it takes arguments that no state holds (functions). */
  body(fn: ModelFunction, on: ReadonlySet<string>): FunctionBody | undefined
}

/** How many objects stand for all of a structure: by its name; the others have one. */
export type Worlds = Readonly<Record<string, readonly string[]>>

/** Loads model files (absolute paths) for `body`. Mistakes of the model are not reported here: `compile` does. */
export function loadFunctions(host: SourceHost, files: readonly string[], worlds: Worlds): FunctionLibrary {
  const sources = loadSources(host, files)
  const { kernels, switches } = readDeclarations(sources)
  const declarations = new Map<ModelFunction, ts.FunctionDeclaration>()
  const invariants: ts.FunctionDeclaration[] = []
  for (const file of sources.program.getSourceFiles()) {
    if (file.fileName === sources.modelPath || file.isDeclarationFile) continue
    for (const statement of file.statements) {
      if (!ts.isFunctionDeclaration(statement) || !statement.name || !statement.body) continue
      const tags = ts.getJSDocTags(statement)
      const tag = (name: string): string | undefined => {
        const found = tags.filter((one) => one.tagName.text === name)
        return found.length === 0 ? undefined : found.map((one) => ts.getTextOfJSDocComment(one.comment) ?? '').join(' ')
      }
      if (tag('invariant') !== undefined) invariants.push(statement)
      const fn: ModelFunction = {
        name: statement.name.text,
        file: sources.displayPath(file),
        aliases: (tag('kernel') ?? '').split(/[\s,]+/).filter((name) => name !== ''),
        reference: tag('reference') !== undefined,
        event: tag('event')?.trim(),
        wakes: tag('wakes') !== undefined,
        waits: tag('waits') !== undefined,
        primitive: tag('primitive') !== undefined,
        calls: called(statement.body),
      }
      declarations.set(fn, statement)
    }
  }
  return {
    functions: [...declarations.keys()],
    kernels,
    switches,
    body(fn, on) {
      const declaration = declarations.get(fn)
      if (!declaration) return undefined
      const unit = new Unit(sources, new Map([...switches.keys()].map((name) => [name, on.has(name)])), ['any'], new Set(), () => undefined)
      unit.free = { invariants }
      try {
        return lower(unit, fn, declaration, worlds)
      } catch (error) {
        if (error instanceof Refused) return undefined
        throw error
      }
    },
  }
}

function called(body: ts.Node): string[] {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) names.add(node.expression.text)
    ts.forEachChild(node, visit)
  }
  visit(body)
  return [...names]
}

function lower(unit: Unit, fn: ModelFunction, declaration: ts.FunctionDeclaration, worlds: Worlds): FunctionBody {
  const graph = new GraphBuilder()
  const scope = childScope(undefined)
  const context: Context = {
    unit,
    graph,
    thread: 0,
    setup: true,
    stack: [{ name: fn.name, file: fn.file, calledAt: 0 }],
    functions: [declaration],
    scope,
    pure: false,
    inStep: false,
    ghost: false,
    lockless: false,
    loops: [],
  }
  const inputs: number[] = []
  for (const parameter of declaration.parameters) {
    const symbol = unit.symbol(parameter.name)
    if (symbol) scope.names.set(symbol, anyArgument(context, parameter, inputs))
  }
  runBody(context, declaration, declaration)
  graph.emit({ op: 'end', at: { file: fn.file, line: 0, column: 0, text: `end of ${fn.name}`, stack: context.stack } })
  populate(unit, worlds)
  const thread = {
    name: fn.name,
    symmetry: 0,
    ...finishThread(graph, (draft) => {
      const [lo, hi] = rangeOf(draft.type, 1)
      return { name: draft.name, lo, hi, display: displayOf(draft.type) }
    }),
  }
  const columns = unit.columns.map((draft) => {
    const [lo, hi] = rangeOf(draft.type, 1)
    return { struct: draft.struct.name, field: draft.field, display: displayOf(draft.type), lo, hi, ...(draft.word === undefined ? {} : { word: draft.word }) }
  })
  return { columns, thread, inputs }
}

/** An argument of which nothing is known but its type. */
function anyArgument(context: Context, parameter: ts.ParameterDeclaration, inputs: number[]): Binding {
  const { unit, graph } = context
  const name = parameter.name.getText()
  const { type, initializer } = parameter
  const flag = initializer?.kind === ts.SyntaxKind.TrueKeyword || initializer?.kind === ts.SyntaxKind.FalseKeyword
  const declared: ValueType | undefined =
    type?.kind === ts.SyntaxKind.NumberKeyword ? int(-(2 ** 20), 2 ** 20) : type ? unit.type(type) : flag ? { k: 'bool' } : undefined
  if (!declared || declared.k === 'array' || declared.k === 'inside') return refuse(context, parameter, `${name} cannot be anything`, 'a value')
  const fresh = (type: ScalarType, part: string): number => {
    const local = graph.newLocal(part, type, true)
    inputs.push(local)
    return local
  }
  if (declared.k === 'word') {
    const locals = declared.fields.map((field) => fresh(field.type, `${name}.${field.name}`))
    return { b: 'variable', locals, type: declared, name }
  }
  return { b: 'variable', locals: [fresh(declared, name)], type: declared, name }
}

/** Every structure met gets its objects: as many as the world says, or one. */
function populate(unit: Unit, worlds: Worlds): void {
  const seen = new Set<Struct>()
  const visit = (type: ValueType): void => {
    if (type.k === 'ref' || type.k === 'inside') struct(type.struct)
    else if (type.k === 'array') visit(type.element)
    else if (type.k === 'word') for (const field of type.fields) visit(field.type)
  }
  const struct = (one: Struct): void => {
    if (seen.has(one)) return
    seen.add(one)
    const names = worlds[one.name] ?? ['any']
    while (one.objects.length < names.length) one.objects.push({ name: names[one.objects.length] })
    for (const field of one.fields.values()) visit(field.type)
  }
  for (const column of unit.columns) {
    struct(column.struct)
    visit(column.type)
  }
}

/** What invariants say of a word that was just read: the paths on which it is not so are none. */
export function assumeInvariants(context: Context, node: ts.Node, value: Value): void {
  const free = context.unit.free
  if (!free || value.v !== 'word' || context.pure || context.functions.some((one) => free.invariants.includes(one as ts.FunctionDeclaration))) return
  for (const invariant of free.invariants) {
    const [parameter] = invariant.parameters
    const type = parameter?.type && context.unit.type(parameter.type)
    if (type?.k !== 'word' || type.name !== value.type.name) continue
    const symbol = context.unit.symbol(parameter.name)
    if (!symbol) continue
    const scope = childScope(undefined)
    scope.names.set(symbol, { b: 'value', value })
    const inner: Context = { ...context, functions: [...context.functions, invariant], scope, loops: [], returns: undefined }
    const holds = runBody(inner, node, invariant)
    if (holds.v !== 'scalar') continue
    const check = context.unit.check('bug', `invariant:${invariant.name?.text}`, '', '', true)
    context.graph.emit({
      op: 'check',
      at: { file: '', line: 0, column: 0, text: '', stack: context.stack },
      check,
      fails: { e: 'bin', op: '==', a: holds.expr, b: number(0) },
    })
  }
}
