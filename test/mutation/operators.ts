/** Mistakes made on purpose: each takes one step of the model out, or puts it in the wrong place, or makes it another one. */
import ts = require('typescript')

import { classOf, classOfCall, isBookkeeping, type StepClass } from './classes.ts'

/** What becomes of a statement, or of a condition, from `start` to `end`. */
export interface Edit {
  readonly start: number
  readonly end: number
  /** The statement is left out; this is done before it, or after it; the condition is taken to hold. */
  readonly how: 'without' | 'before' | 'after' | 'assumed'
  /** What is done before or after. */
  readonly text: string
}

export interface Mutant {
  /** `kernel/mm/swap.ts`. */
  readonly file: string
  readonly line: number
  readonly function: string
  readonly operator: string
  /** The first line of the statement; with its number if the function has several mutants that would be called the same. */
  readonly text: string
  readonly kind: StepClass
  readonly edits: readonly Edit[]
  /** An import that it takes. */
  readonly needs?: string
}

/** Calls that a slip of the pen makes into one another: the same arguments, another meaning. */
const PAIRS: readonly (readonly [string, string, string])[] = [
  ['get_page', 'put_page', 'inc/dec'],
  ['page_add_rmap', 'page_remove_rmap', 'inc/dec'],
  ['percpu_ref_get', 'percpu_ref_put', 'inc/dec'],
  ['down_read', 'down_write', 'read/write'],
  ['up_read', 'up_write', 'read/write'],
  ['lock_page', 'trylock_page', 'try/blocking'],
  ['wake_all', 'wake_next', 'wake one/all'],
]
/** Functions that take a lock or a reference if they can: without it the model goes on as if they had. */
const TRIES = /^(trylock_page|get_page_unless_zero|try_get_page|try_grab_\w+|percpu_ref_tryget\w*|page_ref_add_unless|page_ref_freeze|kernfs_get_active)$/

/** Gives the mutants of a file of the model. `exported` says which file has a function that this one may have to import. */
export function mutantsOf(file: string, source: ts.SourceFile, exported: ReadonlyMap<string, string> = new Map()): Mutant[] {
  const mutants: Mutant[] = []
  const names = namesIn(source)
  /** What it takes to call a function here: an import, or nothing (''); undefined if it cannot be called. */
  const importOf = (name: string): string | undefined => {
    if (names.has(name)) return ''
    const from = exported.get(name)
    return from === undefined ? undefined : `import { ${name} } from '${relative(file, from)}'; `
  }

  const visit = (node: ts.Node, name: string): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && isBookkeeping(node.expression.text)) return
    const inner = ts.isFunctionDeclaration(node) ? (node.name?.text ?? '') : name
    if (ts.isFunctionDeclaration(node) && isBookkeeping(inner)) return
    if (inner !== '') {
      if (ts.isBlock(node) || ts.isCaseClause(node) || ts.isDefaultClause(node)) swaps(node.statements, inner)
      if (ts.isExpressionStatement(node)) single(node, inner)
      if (ts.isIfStatement(node)) blocking(node, inner)
      if (ts.isCallExpression(node) && !ts.isExpressionStatement(node.parent)) assumed(node, inner)
    }
    ts.forEachChild(node, (child) => visit(child, inner))
  }

  const add = (node: ts.Node, name: string, operator: string, kind: StepClass, edits: readonly Edit[], needs = ''): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    mutants.push({ file, line: line + 1, function: name, operator, text: firstLine(node), kind, edits, ...(needs === '' ? {} : { needs }) })
  }
  /** Another statement in the place of one: the text from `start` to `end` is another. */
  const instead = (statement: ts.Statement, start: number, end: number, put: string): Edit[] => {
    const [from, to] = [statement.getStart(), statement.getEnd()]
    const text = source.text.slice(from, start) + put + source.text.slice(end, to)
    return [edit(statement, 'before', text), edit(statement, 'without')]
  }

  const single = (statement: ts.ExpressionStatement, name: string): void => {
    const kind = classOf(file, statement)
    if (!kind) return
    add(statement, name, 'delete', kind, [edit(statement, 'without')])
    const { expression } = statement
    if (ts.isBinaryExpression(expression)) {
      const { operatorToken } = expression
      const other = operatorToken.kind === ts.SyntaxKind.PlusEqualsToken ? '-=' : operatorToken.kind === ts.SyntaxKind.MinusEqualsToken ? '+=' : undefined
      if (other) add(statement, name, 'inc/dec', kind, instead(statement, operatorToken.getStart(), operatorToken.getEnd(), other))
    }
    if (!ts.isCallExpression(expression)) return
    const callee = expression.expression
    for (const [one, two, operator] of PAIRS) {
      const other = callee.getText() === one ? two : callee.getText() === two ? one : undefined
      const needed = other === undefined ? undefined : importOf(other)
      if (needed !== undefined) add(statement, name, operator, kind, instead(statement, callee.getStart(), callee.getEnd(), other as string), needed)
    }
    for (const argument of expression.arguments) {
      if (!ts.isStringLiteral(argument) || !/^(all|next)$/.test(argument.text)) continue
      const text = argument.text === 'all' ? "'next'" : "'all'"
      add(statement, name, 'wake one/all', kind, instead(statement, argument.getStart(), argument.getEnd(), text))
    }
  }

  /** `if (!trylock_page(page)) ...` waits instead. */
  const blocking = (statement: ts.IfStatement, name: string): void => {
    const { expression } = statement
    if (statement.elseStatement || !ts.isPrefixUnaryExpression(expression) || !ts.isCallExpression(expression.operand)) return
    const call = expression.operand
    const needed = call.expression.getText() === 'trylock_page' ? importOf('lock_page') : undefined
    if (needed === undefined) return
    const kept = call.arguments.map((argument) => argument.getText()).join(', ')
    add(statement, name, 'try/blocking', 'lock', instead(statement, statement.getStart(), statement.getEnd(), `lock_page(${kept})`), needed)
  }

  /** A lock or reference that is not taken, and the code goes on as if it were. */
  const assumed = (call: ts.CallExpression, name: string): void => {
    const callee = call.expression.getText()
    if (!TRIES.test(callee)) return
    const kind = classOfCall(file, callee)
    if (kind) add(call, name, 'delete', kind, [edit(call, 'assumed')])
  }

  const swaps = (statements: readonly ts.Statement[], name: string): void => {
    statements.forEach((first, i) => {
      const second = statements[i + 1]
      if (!second || !canMove(first) || !canMove(second) || first.getText() === second.getText() || needs(second, first)) return
      const kind = classOf(file, first) ?? classOf(file, second)
      if (!kind) return
      // The smaller one moves: it will stand in two places, and what it calls with it. What declares a variable stays.
      const size = (one: ts.Statement): number => (ts.isVariableStatement(one) ? Infinity : one.getText().length + (/\(/.test(one.getText()) ? 1000 : 0))
      const moved =
        size(second) <= size(first)
          ? [edit(first, 'before', second.getText()), edit(second, 'without')]
          : [edit(first, 'without'), edit(second, 'after', first.getText())]
      add(first, name, 'swap with next', kind, moved)
    })
  }

  visit(source, '')
  return numbered(mutants)
}

/** Tells those apart that would be called the same. */
function numbered(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Map<string, number>()
  return mutants.map((mutant) => {
    const key = mutantKey(mutant)
    const nth = (seen.get(key) ?? 0) + 1
    seen.set(key, nth)
    return nth === 1 ? mutant : { ...mutant, text: `${mutant.text} #${nth}` }
  })
}

/** The path of one file of the model as another imports it. */
function relative(from: string, to: string): string {
  const [base, path] = [from.split('/').slice(0, -1), to.split('/')]
  let same = 0
  while (same < base.length && base[same] === path[same]) same++
  const up = base.slice(same).map(() => '..')
  return [...(up.length > 0 ? up : ['.']), ...path.slice(same)].join('/')
}

function edit(node: ts.Node, how: Edit['how'], text = ''): Edit {
  return { start: node.getStart(), end: node.getEnd(), how, text }
}

/** Names a mutant whatever stands around it: lines move. */
export function mutantKey({ file, function: name, operator, text }: Pick<Mutant, 'file' | 'function' | 'operator' | 'text'>): string {
  return [file, name, operator, text].join(' | ')
}

/** Steps, conditions with what hangs on them, and what reads: not a return or a jump, behind which nothing is done. */
function canMove(statement: ts.Statement): boolean {
  if (ts.isExpressionStatement(statement)) return !isCheck(statement)
  return ts.isIfStatement(statement) || ts.isVariableStatement(statement) || ts.isIterationStatement(statement, false)
}

/** True if the statement uses a variable that the other declares. */
function needs(statement: ts.Statement, declaring: ts.Statement): boolean {
  if (!ts.isVariableStatement(declaring)) return false
  const names = new Set(declaring.declarationList.declarations.map(({ name }) => name.getText()))
  const uses = (node: ts.Node): boolean => (ts.isIdentifier(node) && names.has(node.text)) || (ts.forEachChild(node, uses) ?? false)
  return uses(statement)
}

function isCheck({ expression }: ts.ExpressionStatement): boolean {
  return ts.isCallExpression(expression) && isBookkeeping(expression.expression.getText())
}

/** What a file declares or imports. */
function namesIn(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) names.add(statement.name.text)
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
    if (bindings && ts.isNamedImports(bindings)) for (const { name } of bindings.elements) names.add(name.text)
  }
  return names
}

function statementOf(node: ts.Node): ts.Node {
  let at = node
  while (!ts.isStatement(at)) at = at.parent
  return at
}

function firstLine(node: ts.Node): string {
  return statementOf(node).getText().split('\n')[0].trim()
}
