/** What is known of a whole compilation while its threads are lowered: structures, columns, checks, switches, complaints. */
import ts = require('typescript')

import type { Check, CheckKind, ColumnId, Expr } from '../ir/program.ts'
import type { Diagnostic } from './diagnostic.ts'
import { type FreeCall, type Worlds, worldOf } from './function-body.ts'
import type { Sources } from './source.ts'
import { type Field, type ObjectDeclaration, type ScalarType, type Struct, sameType, type ValueType } from './value-type.ts'

/** One step from a structure to a value inside it. */
export type Segment = { readonly field: string } | { readonly length: number; readonly perThread: boolean }

export interface ColumnDraft {
  readonly id: ColumnId
  readonly struct: Struct
  /** How to get from the object to the cell: fields, and array dimensions (one cell an element). */
  readonly path: readonly Segment[]
  /** `lock.owner` */
  readonly field: string
  readonly type: ScalarType
  readonly ghost: boolean
  readonly guarded: boolean
  readonly word?: string
  /** Cells an object. */
  readonly perObject: number
  /** A thread reaches it without its lock, marked as lockless. */
  lockless: boolean
  /** A thread writes it. */
  written: boolean
}

/** The value a cell has for ever, as far as it is known; `object` is undefined for a cell chosen at run time. */
export type Settled = (column: ColumnDraft, object: number | undefined, element: number) => number | undefined

export class Unit {
  readonly sources: Sources
  readonly switches: ReadonlyMap<string, boolean>
  readonly threadNames: readonly string[]
  readonly columns: ColumnDraft[] = []
  readonly checks: Check[] = []
  readonly diagnostics: Diagnostic[] = []
  /** Structures some modelled code retires: only their accesses need a check. */
  retired: ReadonlySet<string>
  readonly retiredNow = new Set<string>()
  /** Some code asks whether a lock that it gives back is held: then all must be free in the end. */
  asksHeld = false
  /** What an earlier pass found never to be written by a thread. */
  settled: Settled
  /** The pass whose result is the program. */
  final = false
  /**
   * Functions are lowered by themselves, for any state: no ledger and no other ghost state, what the invariants say of a word is
   * so, each structure has the objects of its world, and calls are not inlined where `call` makes a node of them.
   */
  free?: { readonly invariants: readonly ts.FunctionDeclaration[]; readonly worlds: Worlds; readonly call: FreeCall }
  /** Switches the lowering has looked at. */
  readonly switchesRead = new Set<string>()
  /** Switches whose values are not decided here, but cells of this structure. */
  readonly inputs: ReadonlySet<string>
  readonly inputStruct: Struct = { name: 'change', fields: new Map(), objects: [{ name: 'change' }] }
  private readonly injectedStruct: Struct = { name: 'Injected', fields: new Map(), objects: [{ name: 'injected failure' }] }
  private readonly structs = new Map<ts.Symbol, Struct>()
  private readonly columnIds = new Map<string, ColumnId>()
  private readonly checkIds = new Map<string, number>()

  constructor(
    sources: Sources,
    switches: ReadonlyMap<string, boolean>,
    threadNames: readonly string[],
    retired: ReadonlySet<string> | undefined,
    settled: Settled,
    inputs: ReadonlySet<string> = new Set(),
  ) {
    this.inputs = inputs
    this.sources = sources
    this.switches = switches
    this.threadNames = threadNames
    this.retired = retired ?? new Set()
    this.settled = settled
  }

  complain(node: ts.Node, message: string, instead: string): void {
    const diagnostic = this.sources.diagnostic(node, message, instead)
    const same = (other: Diagnostic): boolean =>
      other.file === diagnostic.file && other.line === diagnostic.line && other.column === diagnostic.column && other.message === diagnostic.message
    // A function is inlined at many calls: its mistake is said once.
    if (!this.diagnostics.some(same)) this.diagnostics.push(diagnostic)
  }

  check(kind: CheckKind, id: string, name: string, message: string, fatal: boolean): number {
    const known = this.checkIds.get(id)
    if (known !== undefined) return known
    this.checks.push({ kind, id, name, message, fatal })
    this.checkIds.set(id, this.checks.length - 1)
    return this.checks.length - 1
  }

  column(struct: Struct, path: readonly Segment[], type: ScalarType, attributes: { ghost: boolean; guarded: boolean; word?: string }): ColumnDraft {
    const field = path
      .filter((segment): segment is { field: string } => 'field' in segment)
      .map((segment) => segment.field)
      .join('.')
    const key = `${struct.name} ${field}`
    const known = this.columnIds.get(key)
    if (known !== undefined) return this.columns[known]
    const perObject = path.reduce((n, segment) => ('length' in segment ? n * segment.length : n), 1)
    const draft: ColumnDraft = { id: this.columns.length, struct, path, field, type, perObject, lockless: false, written: false, ...attributes }
    this.columns.push(draft)
    this.columnIds.set(key, draft.id)
    return draft
  }

  /** The value a cell has for ever, if it is known to have one. */
  settledValue(column: ColumnDraft, index: Expr): number | undefined {
    if (column.ghost || column.struct === this.inputStruct) return undefined
    if (index.e !== 'const') return this.settled(column, undefined, 0)
    return this.settled(column, Math.floor(index.value / column.perObject), index.value % column.perObject)
  }

  /** What `change.name` is in this kernel; undefined for other expressions. */
  switchValue(node: ts.PropertyAccessExpression): boolean | undefined {
    if (!ts.isIdentifier(node.expression)) return undefined
    const declaration = this.symbol(node.expression)?.valueDeclaration
    if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer || !ts.isCallExpression(declaration.initializer)) return undefined
    const callee = this.symbol(declaration.initializer.expression)
    return callee?.name === 'switches' && this.isModelWord(callee) ? this.switches.get(node.name.text) : undefined
  }

  /** The structure of the inputs, with the field of a switch that is one. */
  inputField(node: ts.PropertyAccessExpression): Struct | undefined {
    const name = node.name.text
    if (!this.inputs.has(name)) return undefined
    const { fields } = this.inputStruct
    if (!fields.has(name)) (fields as Map<string, Field>).set(name, { name, type: { k: 'bool' }, ghost: false, initial: undefined, node })
    return this.inputStruct
  }

  /** Ghost column that says whether a `may_fail()` has failed in this run. */
  injected(site: string): ColumnDraft {
    return this.column(this.injectedStruct, [{ field: site }], { k: 'bool' }, { ghost: true, guarded: false })
  }

  /** Ghost column that says whether an object's memory is in use. */
  memory(struct: Struct): ColumnDraft {
    return this.column(struct, [{ field: 'memory' }], { k: 'enum', members: ['in use', 'gone'] }, { ghost: true, guarded: false })
  }

  isModelWord(symbol: ts.Symbol): boolean {
    return symbol.declarations?.some((declaration) => declaration.getSourceFile().fileName === this.sources.modelPath) ?? false
  }

  /** The structure a class declares. */
  struct(symbol: ts.Symbol): Struct | undefined {
    const known = this.structs.get(symbol)
    if (known) return known
    const declaration = symbol.declarations?.find(ts.isClassDeclaration)
    if (!declaration) return undefined
    const fields = new Map<string, Field>()
    const struct: Struct = { name: symbol.name, fields, objects: this.free ? worldOf(symbol.name, this.free.worlds) : [] }
    this.structs.set(symbol, struct)
    for (const member of declaration.members) {
      if (!ts.isPropertyDeclaration(member) || !ts.isIdentifier(member.name)) {
        this.complain(member, 'a structure has fields only', 'a function outside the class')
        continue
      }
      const field = this.field(member, member.name.text)
      if (field) fields.set(field.name, field)
    }
    return struct
  }

  /** The objects known so far, of each structure. */
  objects(): ReadonlyMap<ts.Symbol, readonly ObjectDeclaration[]> {
    return new Map([...this.structs].map(([symbol, struct]) => [symbol, [...struct.objects]]))
  }

  /** Gives objects the places they had in another pass, so that references mean the same. */
  adopt(objects: ReadonlyMap<ts.Symbol, readonly ObjectDeclaration[]>): void {
    for (const [symbol, declarations] of objects) this.struct(symbol)?.objects.push(...declarations)
  }

  private field(member: ts.PropertyDeclaration, name: string): Field | undefined {
    const initial = member.initializer
    if (!member.type) {
      if (initial && ts.isNewExpression(initial)) {
        const struct = this.structOf(initial.expression)
        if (struct) return { name, type: { k: 'inside', struct }, ghost: false, initial, node: member }
      }
      if (initial && (initial.kind === ts.SyntaxKind.TrueKeyword || initial.kind === ts.SyntaxKind.FalseKeyword))
        return { name, type: { k: 'bool' }, ghost: false, initial, node: member }
      this.complain(member, `the field ${name} needs a type`, `${name}: Int<0, 3> = 0, or another type of putpage/model`)
      return undefined
    }
    let node: ts.TypeNode = member.type
    let guard: string | undefined
    let ghost = false
    for (;;) {
      const reference = this.modelType(node)
      if (reference?.name === 'Guarded') {
        const path = reference.args[1]
        if (ts.isLiteralTypeNode(path) && ts.isStringLiteral(path.literal)) guard = path.literal.text
        node = reference.args[0]
      } else if (reference?.name === 'Ghost') {
        ghost = true
        node = reference.args[0]
      } else break
    }
    const written = this.type(node)
    const type = written && structuresInside(written, initial)
    return type && { name, type, guard, ghost, initial, node: member }
  }

  private structOf(expression: ts.Node): Struct | undefined {
    const symbol = this.symbol(expression)
    return symbol && this.struct(symbol)
  }

  /** What a name means, imports followed. */
  symbol(node: ts.Node): ts.Symbol | undefined {
    return this.sources.symbol(node)
  }

  private modelType(node: ts.TypeNode): { name: string; args: readonly ts.TypeNode[] } | undefined {
    if (!ts.isTypeReferenceNode(node)) return undefined
    const symbol = this.symbol(node.typeName)
    return symbol && this.isModelWord(symbol) ? { name: symbol.name, args: node.typeArguments ?? [] } : undefined
  }

  /** The type a type annotation means; complains and gives undefined where the subset has none. */
  type(node: ts.TypeNode): ValueType | undefined {
    if (ts.isParenthesizedTypeNode(node)) return this.type(node.type)
    if (node.kind === ts.SyntaxKind.BooleanKeyword) return { k: 'bool' }
    if (ts.isUnionTypeNode(node)) return this.union(node)
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) return { k: 'enum', members: [node.literal.text] }
    const model = this.modelType(node)
    if (model) return this.builtin(node, model.name, model.args)
    if (ts.isTypeReferenceNode(node)) {
      const symbol = this.symbol(node.typeName)
      const alias = symbol?.declarations?.find(ts.isTypeAliasDeclaration)
      if (alias) {
        const type = this.type(alias.type)
        return type?.k === 'word' ? { ...type, name: alias.name.text } : type
      }
      const struct = symbol && this.struct(symbol)
      if (struct) return { k: 'ref', struct, nullable: false }
    }
    const text = node.getText()
    const number = node.kind === ts.SyntaxKind.NumberKeyword
    this.complain(
      node,
      number ? 'a number needs a range' : `the type ${text} is not part of the modelling language`,
      number ? 'Int<lo, hi>' : 'boolean, Int<lo, hi>, a union of strings, a structure, Structure | null, FixedArray<T, n>, Word<{...}>',
    )
    return undefined
  }

  private union(node: ts.UnionTypeNode): ValueType | undefined {
    const isNull = (member: ts.TypeNode): boolean => ts.isLiteralTypeNode(member) && member.literal.kind === ts.SyntaxKind.NullKeyword
    const members = node.types.filter((member) => !isNull(member))
    if (members.every((member) => ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal))) {
      if (members.length < node.types.length) this.complain(node, 'a union of strings cannot be null', "one more string, as 'none'")
      return { k: 'enum', members: members.map((member) => ((member as ts.LiteralTypeNode).literal as ts.StringLiteral).text) }
    }
    const type = members.length === 1 ? this.type(members[0]) : undefined
    if (type && members.length < node.types.length && (type.k === 'ref' || type.k === 'thread')) return { ...type, nullable: true }
    if (members.length === 1 && !type) return undefined
    this.complain(node, `the union ${node.getText()} is not part of the modelling language`, 'a union of strings, or Structure | null')
    return undefined
  }

  private builtin(node: ts.TypeNode, name: string, args: readonly ts.TypeNode[]): ValueType | undefined {
    const number = (arg: ts.TypeNode): number => this.constantType(arg)
    switch (name) {
      case 'Int':
        return { k: 'int', lo: number(args[0]), hi: number(args[1]) }
      case 'Count':
        return { k: 'int', lo: number(args[0]), hi: number(args[1]), bias: number(args[2]) }
      case 'Guarded':
      case 'Ghost':
        return this.type(args[0])
      case 'Thread':
        return { k: 'thread', nullable: false }
      case 'FixedArray': {
        const element = this.type(args[0])
        return element && { k: 'array', element, length: number(args[1]), by: 'index' }
      }
      case 'PerThread': {
        const element = this.type(args[0])
        return element && { k: 'array', element, length: this.threadNames.length, by: 'thread' }
      }
      case 'Each': {
        const keys = this.type(args[0])
        const element = this.type(args[1])
        return element && keys?.k === 'enum' ? { k: 'array', element, length: keys.members.length, by: { members: keys.members } } : undefined
      }
      case 'Word': {
        if (!ts.isTypeLiteralNode(args[0])) break
        const fields: { name: string; type: ScalarType }[] = []
        for (const member of args[0].members) {
          if (!ts.isPropertySignature(member) || !member.type || !ts.isIdentifier(member.name)) continue
          const type = this.type(member.type)
          if (type && type.k !== 'word' && type.k !== 'inside' && type.k !== 'array') fields.push({ name: member.name.text, type })
          else if (type) this.complain(member, 'a word holds plain values only', 'booleans, integers, strings and references')
        }
        return { k: 'word', name: 'Word', fields }
      }
    }
    this.complain(node, `${name} cannot be used here`, 'another type of putpage/model')
    return undefined
  }

  private constantType(node: ts.TypeNode): number {
    const type = this.sources.checker.getTypeFromTypeNode(node)
    if (type.isNumberLiteral()) return type.value
    this.complain(node, 'a range needs constant bounds', 'Int<0, 3>')
    return 0
  }
}

/** True if a value of type `from` can be stored as `to` unchanged. */
export function assignable(from: ScalarType, to: ScalarType): boolean {
  return sameType(from, to)
}

export function constant(value: number): Expr {
  return { e: 'const', value }
}

/** `array(n, new X())`: the elements are structures inside, not references. */
function structuresInside(type: ValueType, initial: ts.Expression | undefined): ValueType {
  if (type.k !== 'array' || type.element.k !== 'ref' || type.element.nullable) return type
  const element = initial && ts.isCallExpression(initial) ? initial.arguments[initial.arguments.length - 1] : undefined
  return element && ts.isNewExpression(element) ? { ...type, element: { k: 'inside', struct: type.element.struct } } : type
}
