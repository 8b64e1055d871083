/** What model files declare as data: scenarios, kernels, switches, known bugs. Read from the syntax, never run. */
import ts = require('typescript')

import type { Diagnostic } from './diagnostic.ts'
import type { KnownBug, Proposal, Switch } from './model.ts'
import type { Sources } from './source.ts'

export interface ScenarioDeclaration {
  readonly name: string
  readonly file: ts.SourceFile
  readonly about: string
  readonly bounds: string
  /** Empty: every kernel. */
  readonly kernels: readonly string[]
  /** Empty: `kernels` says where it makes sense. */
  readonly needs: readonly string[]
  readonly deep: boolean
  readonly shows: readonly string[]
  readonly setup?: ts.FunctionLikeDeclaration
  readonly threads: readonly {
    readonly name: string /** The name without its number among identical threads. */
    readonly role: string
    readonly body: ts.Node
    readonly symmetry: number
  }[]
  readonly always: readonly PropertyDeclaration[]
  readonly finally: readonly PropertyDeclaration[]
  readonly eventually: readonly PropertyDeclaration[]
  readonly sometimes: readonly PropertyDeclaration[]
  /** property -> kernel -> reason */
  readonly unreachable: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly node: ts.Node
}

export interface PropertyDeclaration {
  readonly name: string
  readonly body: ts.Node
}

export interface KernelPreset {
  readonly name: string
  readonly about: string
  readonly has: readonly string[]
}

export interface Declarations {
  readonly scenarios: readonly ScenarioDeclaration[]
  readonly switches: ReadonlyMap<string, Switch>
  readonly kernels: readonly KernelPreset[]
  /** By id, in the order declared. */
  readonly bugs: ReadonlyMap<string, KnownBug>
  /** By the name of the file. */
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly diagnostics: readonly Diagnostic[]
}

/** Collects the declarations of all loaded files, in file order. */
export function readDeclarations(sources: Sources): Declarations {
  const scenarios: ScenarioDeclaration[] = []
  const switches = new Map<string, Switch>()
  const kernels: KernelPreset[] = []
  const bugs = new Map<string, KnownBug>()
  const proposals = new Map<string, Proposal>()
  const diagnostics: Diagnostic[] = []
  const complain = (node: ts.Node, message: string, instead: string): void => {
    diagnostics.push(sources.diagnostic(node, message, instead))
  }
  const data = (node: ts.Expression | undefined): unknown => (node ? constantData(node, complain) : undefined)
  for (const file of sources.program.getSourceFiles()) {
    if (file.fileName === sources.modelPath || file.isDeclarationFile) continue
    for (const call of modelCalls(sources, file)) {
      const literal = call.node.arguments[call.name === 'kernels' || call.name === 'known_bugs' || call.name === 'proposal' ? 1 : 0]
      if (call.name === 'switches') for (const [name, declared] of Object.entries((data(literal) ?? {}) as Record<string, Switch>)) switches.set(name, declared)
      else if (call.name === 'kernels')
        for (const [name, preset] of Object.entries((data(literal) ?? {}) as Record<string, { about: string; has: string[] }>))
          kernels.push({ name, about: preset.about, has: preset.has })
      else if (call.name === 'known_bugs') for (const [id, bug] of Object.entries((data(literal) ?? {}) as Record<string, KnownBug>)) bugs.set(id, bug)
      else if (call.name === 'proposal') proposals.set(baseName(file), data(literal) as Proposal)
      else if (ts.isObjectLiteralExpression(literal)) scenarios.push(readScenario(file, call.node, literal, data, complain))
    }
  }
  return { scenarios, switches, kernels, bugs, proposals, diagnostics }
}

/** The words of the model that declare data. */
const DECLARING = ['switches', 'kernels', 'known_bugs', 'proposal', 'scenario'] as const
type Declaring = (typeof DECLARING)[number]

function modelCalls(sources: Sources, file: ts.SourceFile): { name: Declaring; node: ts.CallExpression }[] {
  const found: { name: Declaring; node: ts.CallExpression }[] = []
  const consider = (node: ts.Expression | undefined): void => {
    if (!node || !ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return
    const { text } = node.expression
    const name = DECLARING.find((word) => word === text)
    if (!name) return
    const symbol = sources.checker.getSymbolAtLocation(node.expression)
    const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? sources.checker.getAliasedSymbol(symbol) : symbol
    if (target?.declarations?.some((declaration) => declaration.getSourceFile().fileName === sources.modelPath)) found.push({ name, node })
  }
  for (const statement of file.statements) {
    if (ts.isExportAssignment(statement)) consider(statement.expression)
    if (ts.isExpressionStatement(statement)) consider(statement.expression)
    if (ts.isVariableStatement(statement)) for (const declaration of statement.declarationList.declarations) consider(declaration.initializer)
  }
  return found
}

type Complain = (node: ts.Node, message: string, instead: string) => void

/** Strings, numbers, booleans, lists and objects as written; strings may be joined with +. */
function constantData(node: ts.Expression, complain: Complain): unknown {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  if (ts.isNumericLiteral(node)) return Number(node.text)
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false
  if (ts.isArrayLiteralExpression(node))
    return node.elements.flatMap((element) =>
      ts.isSpreadElement(element) ? (constantData(element.expression, complain) as unknown[]) : [constantData(element, complain)],
    )
  if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)) return constantData(node.expression, complain)
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return `${constantData(node.left, complain)}${constantData(node.right, complain)}`
  if (ts.isIdentifier(node)) {
    const declaration = constantOf(node)
    if (declaration) return constantData(declaration, complain)
  }
  if (ts.isObjectLiteralExpression(node)) {
    const result: Record<string, unknown> = {}
    for (const member of node.properties) {
      const name = propertyName(member)
      if (ts.isPropertyAssignment(member) && name !== undefined) result[name] = constantData(member.initializer, complain)
    }
    return result
  }
  complain(node, 'this must be written as data', 'a string, a number, a list or an object')
  return undefined
}

/** A constant of the same file. */
function constantOf(node: ts.Identifier): ts.Expression | undefined {
  for (const statement of node.getSourceFile().statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const declaration of statement.declarationList.declarations) if (declaration.name.getText() === node.text) return declaration.initializer
  }
  return undefined
}

function propertyName(member: ts.ObjectLiteralElementLike): string | undefined {
  const { name } = member
  return name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : undefined
}

function baseName(file: ts.SourceFile): string {
  return file.fileName.slice(file.fileName.lastIndexOf('/') + 1).replace(/\.ts$/, '')
}

function readScenario(
  file: ts.SourceFile,
  node: ts.CallExpression,
  literal: ts.ObjectLiteralExpression,
  data: (node: ts.Expression | undefined) => unknown,
  complain: Complain,
): ScenarioDeclaration {
  const member = (name: string): ts.ObjectLiteralElementLike | undefined => literal.properties.find((property) => propertyName(property) === name)
  const value = (name: string): ts.Expression | undefined => {
    const found = member(name)
    return found && ts.isPropertyAssignment(found) ? found.initializer : undefined
  }
  const bodies = (name: string): PropertyDeclaration[] => {
    const group = value(name)
    if (!group) return []
    if (!ts.isObjectLiteralExpression(group)) {
      complain(group, `${name} must be written here`, `${name}: { 'its name': () => ... }`)
      return []
    }
    return group.properties.flatMap((property): PropertyDeclaration[] => {
      const key = propertyName(property)
      if (key === undefined) return []
      if (ts.isPropertyAssignment(property)) return [{ name: key, body: property.initializer }]
      return [{ name: key, body: ts.isShorthandPropertyAssignment(property) ? property.name : property }]
    })
  }
  const setupMember = member('setup')
  const setup =
    setupMember && ts.isMethodDeclaration(setupMember)
      ? setupMember
      : setupMember && ts.isPropertyAssignment(setupMember) && ts.isArrowFunction(setupMember.initializer)
        ? setupMember.initializer
        : undefined
  let symmetry = 0
  const threads = bodies('threads').flatMap(({ name, body }) => {
    symmetry++
    if (ts.isCallExpression(body) && ts.isIdentifier(body.expression) && body.expression.text === 'identical') {
      const count = data(body.arguments[0])
      return Array.from({ length: typeof count === 'number' ? count : 0 }, (_, i) => ({ name: `${name}${i}`, role: name, body: body.arguments[1], symmetry }))
    }
    return [{ name, role: name, body, symmetry }]
  })
  if (threads.length === 0) complain(node, 'a scenario needs threads', 'threads: { gup() { ... }, truncate() { ... } }')
  const unreachable = (data(value('unreachable')) ?? {}) as Record<string, Record<string, string>>
  return {
    name: baseName(file),
    file,
    about: String(data(value('about')) ?? ''),
    bounds: String(data(value('bounds')) ?? ''),
    kernels: (data(value('kernels')) as string[] | undefined) ?? [],
    needs: (data(value('needs')) as string[] | undefined) ?? [],
    deep: data(value('deep')) === true,
    shows: (data(value('shows')) as string[] | undefined) ?? [],
    setup,
    threads,
    always: bodies('always'),
    finally: bodies('finally'),
    eventually: bodies('eventually'),
    sometimes: bodies('sometimes'),
    unreachable: new Map(Object.entries(unreachable).map(([property, reasons]) => [property, new Map(Object.entries(reasons))])),
    node,
  }
}
