/**
 * The functions of a model, each lowered by itself: not in a scenario, but with any arguments and in any world. Who asks what
 * a function can do whatever the state reads this (role automata, which paths wake); the search never does.
 */
import ts = require('typescript')

import type { FunctionBody } from '../ir/body.ts'
import { CALL, RETURN } from '../ir/body.ts'
import type { Expr, Place } from '../ir/program.ts'
import { runBody } from './call.ts'
import { type Binding, type Context, childScope, position, Refused, refuse, scalar } from './context.ts'
import { convert, convertScalar, rvalue } from './convert.ts'
import { type KernelPreset, readDeclarations } from './declarations.ts'
import { place } from './expression.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { Switch } from './model.ts'
import { loadSources, type SourceHost, type Sources } from './source.ts'
import { finishThread } from './thread-graph.ts'
import { type ColumnDraft, Unit } from './unit.ts'
import { binary, number, type Value, VOID } from './value.ts'
import { BOOL, displayOf, int, isScalar, rangeOf, type ScalarType, type Struct, type ValueType } from './value-type.ts'

/** A modelled function, with what its comment says to tools. */
export interface ModelFunction {
  readonly name: string
  /** Relative to the package: `kernel/mm/memory.ts`. */
  readonly file: string
  /** `@kernel a b`: functions that stand in a kernel's stacks for this one: inlined into or around it, or named so in some release. */
  readonly aliases: readonly string[]
  /** `@reference`: takes or gives back a reference for its caller, and says nothing of who that is. */
  readonly reference: boolean
  /** `@role`: a call of it is looked at by itself, also within calls of others; it is never inlined. */
  readonly role: boolean
  /** `@event page_ref_mod`: the tracepoint of a primitive that changes the count. */
  readonly event: string | undefined
  /** `@wakes`: sleepers on a page's count are woken. `@frees`: the driver gets its page back. `@waits`: the caller sleeps until the count is idle. */
  readonly wakes: boolean
  readonly frees: boolean
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
  /** The functions' bodies under a set of switches. A body is undefined if the function takes arguments that no state holds. */
  bodies(on: ReadonlySet<string>): (fn: { readonly name: string; readonly file: string }) => FunctionBody | undefined
}

/** How many objects stand for all of a structure: by its name; the others have one. */
export type Worlds = Readonly<Record<string, readonly string[]>>

/** Loads model files (absolute paths). Mistakes of the model are not reported here: `compile` does. */
export function loadFunctions(host: SourceHost, files: readonly string[], worlds: Worlds): FunctionLibrary {
  const sources = loadSources(host, files)
  const { kernels, switches } = readDeclarations(sources)
  const functions: ModelFunction[] = []
  const declarations = new Map<string, ts.FunctionDeclaration>()
  const invariants: ts.FunctionDeclaration[] = []
  for (const file of sources.program.getSourceFiles()) {
    if (file.fileName === sources.modelPath || file.isDeclarationFile) continue
    for (const statement of file.statements) {
      if (!ts.isFunctionDeclaration(statement) || !statement.name || !statement.body) continue
      const fn = describe(sources, statement, statement.name.text, statement.body)
      if (ts.getJSDocTags(statement).some((tag) => tag.tagName.text === 'invariant')) invariants.push(statement)
      functions.push(fn)
      declarations.set(keyOf(fn), statement)
    }
  }
  return {
    functions,
    kernels,
    switches,
    bodies(on) {
      const unit = new Unit(sources, new Map([...switches.keys()].map((name) => [name, on.has(name)])), ['any'], new Set(), () => undefined)
      const signatures = new Map<ts.Node, Signature | undefined>()
      unit.free = { invariants, worlds, call: (context, node, callee, args) => emitCall(context, node, callee, args, signatures) }
      const known = new Map<string, FunctionBody | undefined>()
      return (fn) => {
        const key = keyOf(fn)
        const declaration = declarations.get(key)
        if (!known.has(key)) known.set(key, declaration && lower(unit, fn, declaration))
        return known.get(key)
      }
    },
  }
}

function keyOf(fn: { readonly name: string; readonly file: string }): string {
  return `${fn.file}:${fn.name}`
}

function describe(sources: Sources, statement: ts.FunctionDeclaration, name: string, body: ts.Node): ModelFunction {
  const tags = ts.getJSDocTags(statement)
  const tag = (wanted: string): string | undefined => {
    const found = tags.filter((one) => one.tagName.text === wanted)
    return found.length === 0 ? undefined : found.map((one) => ts.getTextOfJSDocComment(one.comment) ?? '').join(' ')
  }
  return {
    name,
    file: sources.displayPath(statement.getSourceFile()),
    aliases: (tag('kernel') ?? '').split(/[\s,]+/).filter((alias) => alias !== ''),
    reference: tag('reference') !== undefined,
    role: tag('role') !== undefined,
    event: tag('event')?.trim(),
    wakes: tag('wakes') !== undefined,
    frees: tag('frees') !== undefined,
    waits: tag('waits') !== undefined,
    primitive: tag('primitive') !== undefined,
    calls: called(body),
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

function lower(unit: Unit, fn: { readonly name: string; readonly file: string }, declaration: ts.FunctionDeclaration): FunctionBody | undefined {
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
  const complaints = unit.diagnostics.length
  const at = { file: fn.file, line: 0, column: 0, text: `end of ${fn.name}`, stack: context.stack }
  try {
    for (const parameter of declaration.parameters) {
      const symbol = unit.symbol(parameter.name)
      if (symbol) scope.names.set(symbol, anyArgument(context, parameter, inputs))
    }
    const result = rvalue(context, declaration, runBody(context, declaration, declaration))
    // What a statement was refused for leaves its graph unfinished: such a body says nothing.
    if (unit.diagnostics.length > complaints) return undefined
    const returned = marker(unit, RETURN, fn.name)
    const values = asDeclared(context, declaration, result)
    graph.emit({ op: 'load', at, dsts: [], places: values.map((index): Place => ({ column: returned.id, index })), access: true })
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
  graph.emit({ op: 'end', at })
  const thread = {
    name: fn.name,
    symmetry: 0,
    ...finishThread(graph, (draft) => {
      const [lo, hi] = rangeOf(draft.type, 1)
      return { name: draft.name, lo, hi, display: displayOf(draft.type) }
    }),
  }
  return {
    thread,
    inputs,
    column(id) {
      const draft = unit.columns[id]
      const [lo, hi] = rangeOf(draft.type, 1)
      return { struct: draft.struct.name, field: draft.field, display: displayOf(draft.type), lo, hi }
    },
  }
}

/** The parts of a returned value as the function's type has them: the members of an enumeration may be numbered otherwise in the expression. */
function asDeclared(context: Context, declaration: ts.FunctionDeclaration, value: Value): readonly Expr[] {
  const type = annotated(context.unit, declaration.type)
  if (type?.k === 'word' && value.v === 'word') return convert(context, declaration, value, type)
  if (type && isScalar(type) && type.k !== 'int' && value.v === 'scalar') return [convertScalar(context, declaration, value, type)]
  return resultOf(value)
}

/** The parts of a returned value. */
function resultOf(value: Value): readonly Expr[] {
  if (value.v === 'scalar') return [value.expr]
  if (value.v === 'word') return value.parts
  if (value.v === 'place' && value.type.k === 'inside' && value.path.length === 0) return [binary('+', value.object, number(1))]
  return []
}

/** A column that is none: it says what a node stands for. */
function marker(unit: Unit, kind: string, name: string): ColumnDraft {
  return unit.column({ name: kind, fields: new Map(), objects: [{ name: kind }] }, [{ field: name }], BOOL, { ghost: false, guarded: false })
}

/** A type annotation, with what the language lets be left out. */
function annotated(unit: Unit, type: ts.TypeNode | undefined, initializer?: ts.Expression): ValueType | undefined {
  if (type?.kind === ts.SyntaxKind.NumberKeyword) return int(-(2 ** 20), 2 ** 20)
  if (type) return unit.type(type)
  const flag = initializer?.kind === ts.SyntaxKind.TrueKeyword || initializer?.kind === ts.SyntaxKind.FalseKeyword
  return flag ? BOOL : undefined
}

/** An argument of which nothing is known but its type. */
function anyArgument(context: Context, parameter: ts.ParameterDeclaration, inputs: number[]): Binding {
  const name = parameter.name.getText()
  const declared = annotated(context.unit, parameter.type, parameter.initializer)
  if (!declared || declared.k === 'array' || declared.k === 'inside') return refuse(context, parameter, `${name} cannot be anything`, 'a value')
  const fresh = (type: ScalarType, part: string): number => {
    const local = context.graph.newLocal(part, type, true)
    inputs.push(local)
    return local
  }
  const locals = declared.k === 'word' ? declared.fields.map((field) => fresh(field.type, `${name}.${field.name}`)) : [fresh(declared, name)]
  return { b: 'variable', locals, type: declared, name }
}

interface Signature {
  readonly key: string
  readonly parameters: readonly ValueType[]
  readonly result: ValueType | undefined
}

/** What a function takes and gives, if all of it are values that a graph can hand over. */
function signatureOf(unit: Unit, callee: ts.FunctionDeclaration): Signature | undefined {
  if (!callee.name || ts.getJSDocTags(callee).some((tag) => tag.tagName.text === 'primitive')) return undefined
  const parameters: ValueType[] = []
  for (const { type, initializer } of callee.parameters) {
    if (type && ts.isFunctionTypeNode(type)) return undefined
    const declared = annotated(unit, type, initializer)
    if (!declared || (declared.k !== 'word' && !isScalar(declared))) return undefined
    parameters.push(declared)
  }
  if (!callee.type) return undefined
  const result = callee.type.kind === ts.SyntaxKind.VoidKeyword ? undefined : annotated(unit, callee.type)
  if (result && result.k !== 'word' && !isScalar(result)) return undefined
  return { key: keyOf({ name: callee.name.text, file: unit.sources.displayPath(callee.getSourceFile()) }), parameters, result }
}

/** A call as a node of its own; undefined where the callee has to be inlined. */
function emitCall(
  context: Context,
  node: ts.Node,
  callee: ts.FunctionLikeDeclaration,
  args: readonly ts.Expression[],
  signatures: Map<ts.Node, Signature | undefined>,
): Value | undefined {
  const { unit, graph } = context
  if (context.inStep || context.pure || context.ghost || context.primitive || !ts.isFunctionDeclaration(callee)) return undefined
  if (!signatures.has(callee)) signatures.set(callee, signatureOf(unit, callee))
  const signature = signatures.get(callee)
  if (!signature) return undefined
  const column = marker(unit, CALL, signature.key)
  const unknown: Expr = { e: 'load', place: { column: column.id, index: number(0) } }
  const given = signature.parameters.flatMap((type, i): readonly Expr[] => {
    const parameter = callee.parameters[i]
    const argument = args[i] ?? parameter.initializer
    const parts = type.k === 'word' ? type.fields.length : 1
    if (!argument) return Array.from({ length: parts }, () => unknown)
    const value = rvalue(context, argument, place(context, argument))
    if (type.k === 'word') return convert(context, argument, value, type)
    if (value.v === 'place') return resultOf(value).length === 1 ? resultOf(value) : [unknown]
    return [type.k === 'int' && value.v === 'scalar' ? value.expr : convertScalar(context, argument, value, type as ScalarType)]
  })
  const { result } = signature
  const dsts =
    result === undefined
      ? []
      : result.k === 'word'
        ? result.fields.map((field) => graph.newLocal(`${callee.name?.text}.${field.name}`, field.type))
        : [graph.newLocal(`${callee.name?.text}`, result as ScalarType)]
  const places = [number(0), ...given].map((index): Place => ({ column: column.id, index }))
  graph.emit({ op: 'load', at: position(context, node), dsts, places, access: true })
  if (result === undefined) return VOID
  if (result.k === 'word') return { v: 'word', type: result, parts: dsts.map((local): Expr => ({ e: 'local', local })) }
  return scalar({ e: 'local', local: dsts[0] }, result as ScalarType)
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
    context.graph.emit({ op: 'check', at: { ...position(context, node), stack: context.stack }, check, fails: binary('==', holds.expr, number(0)) })
  }
}

export type FreeCall = (context: Context, node: ts.Node, callee: ts.FunctionLikeDeclaration, args: readonly ts.Expression[]) => Value | undefined

/** Objects that stand for all of a structure. */
export function worldOf(struct: string, worlds: Worlds): Struct['objects'] {
  return (worlds[struct] ?? ['any']).map((name) => ({ name }))
}
