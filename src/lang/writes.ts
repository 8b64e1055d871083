/**
 * Which fields the threads of a scenario can ever write, from the syntax alone: each reachable function is looked at once,
 * not once a call. What is never written is constant, and decides branches before anything is inlined.
 */
import ts = require('typescript')

import type { Unit } from './unit.ts'

export interface Writes {
  /** `Class.field` */
  readonly fields: ReadonlySet<string>
  /** Structures that some reachable `retire()` takes away. */
  readonly retired: ReadonlySet<string>
  /** A write was found whose field cannot be told: nothing is known to be constant. */
  readonly unknown: boolean
}

/** Looks through everything reachable from the given functions. Branches on switches are followed as the kernel has them. */
export function findWrites(unit: Unit, roots: readonly ts.Node[]): Writes {
  const fields = new Set<string>()
  const retired = new Set<string>()
  const seen = new Set<ts.Node>()
  const work: ts.Node[] = [...roots]
  let unknown = false

  const written = (target: ts.Expression): void => {
    const field = fieldWritten(unit, target)
    if (field === undefined) unknown = true
    else if (field !== '') fields.add(field)
  }
  const reach = (declaration: ts.Node): void => {
    if (seen.has(declaration)) return
    seen.add(declaration)
    work.push(declaration)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
      const [test, then, otherwise] = ts.isIfStatement(node)
        ? [node.expression, node.thenStatement, node.elseStatement]
        : [node.condition, node.whenTrue, node.whenFalse]
      const value = switchCondition(unit, test)
      visit(test)
      if (value !== false) visit(then)
      if (value !== true && otherwise) visit(otherwise)
      // `if (change.x) return ...` ends the function where the switch is on.
      return
    }
    if (ts.isBlock(node)) {
      for (const statement of node.statements) {
        visit(statement)
        if (alwaysLeaves(unit, statement)) return
      }
      return
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment && node.operatorToken.kind <= ts.SyntaxKind.LastAssignment)
      written(node.left)
    if (
      (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
      (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
    )
      written(node.operand)
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const callee = unit.symbol(node.expression)
      if (callee && unit.isModelWord(callee)) {
        if (callee.name === 'WRITE_ONCE') written(node.arguments[0])
        if (callee.name === 'retire') retired.add(structName(unit, node.arguments[0]))
      }
    }
    if (ts.isIdentifier(node)) {
      const declaration = unit.symbol(node)?.valueDeclaration
      if (declaration && declaration.getSourceFile().fileName !== unit.sources.modelPath) {
        if (ts.isFunctionDeclaration(declaration)) reach(declaration)
        else if (ts.isVariableDeclaration(declaration) && declaration.initializer && ts.isArrowFunction(declaration.initializer)) reach(declaration.initializer)
      }
    }
    ts.forEachChild(node, visit)
  }
  while (work.length > 0) {
    const node = work.pop() as ts.Node
    ts.forEachChild(node, visit)
  }
  return { fields, retired, unknown }
}

/** `Class.field` of an assignment's target; empty for a local variable; undefined if it cannot be told. */
function fieldWritten(unit: Unit, target: ts.Expression): string | undefined {
  let at: ts.Expression = target
  for (;;) {
    if (ts.isParenthesizedExpression(at) || ts.isNonNullExpression(at) || ts.isElementAccessExpression(at)) {
      at = at.expression
      continue
    }
    if (ts.isPropertyAccessExpression(at)) {
      const declaration = unit.symbol(at.name)?.valueDeclaration
      if (declaration && ts.isPropertyDeclaration(declaration) && ts.isClassDeclaration(declaration.parent))
        return `${declaration.parent.name?.text}.${at.name.text}`
      at = at.expression
      continue
    }
    if (!ts.isIdentifier(at)) return undefined
    const declaration = unit.symbol(at)?.valueDeclaration
    if (!declaration) return undefined
    if (ts.isVariableDeclaration(declaration)) {
      if (at === target) return ''
      // Another name for a field: `const held = page.held`.
      if (declaration.initializer && (ts.isPropertyAccessExpression(declaration.initializer) || ts.isElementAccessExpression(declaration.initializer))) {
        at = declaration.initializer
        continue
      }
    }
    return at === target ? '' : undefined
  }
}

function structName(unit: Unit, node: ts.Expression): string {
  const { checker } = unit.sources
  return checker.getNonNullableType(checker.getTypeAtLocation(node)).getSymbol()?.name ?? ''
}

/** The value of a condition made of switches only. */
function switchCondition(unit: Unit, node: ts.Expression): boolean | undefined {
  if (ts.isParenthesizedExpression(node)) return switchCondition(unit, node.expression)
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    const value = switchCondition(unit, node.operand)
    return value === undefined ? undefined : !value
  }
  if (ts.isBinaryExpression(node)) {
    const and = node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken
    if (!and && node.operatorToken.kind !== ts.SyntaxKind.BarBarToken) return undefined
    const a = switchCondition(unit, node.left)
    const b = switchCondition(unit, node.right)
    if (a === !and || b === !and) return !and
    return a === and && b === and ? and : undefined
  }
  return ts.isPropertyAccessExpression(node) ? unit.switchValue(node) : undefined
}

/** True if nothing after the statement can be reached: a return, also under a switch that is on. */
function alwaysLeaves(unit: Unit, statement: ts.Statement): boolean {
  if (ts.isReturnStatement(statement)) return true
  if (ts.isBlock(statement)) return statement.statements.some((one) => alwaysLeaves(unit, one))
  if (!ts.isIfStatement(statement)) return false
  const value = switchCondition(unit, statement.expression)
  if (value === true) return alwaysLeaves(unit, statement.thenStatement)
  return value === false && statement.elseStatement !== undefined && alwaysLeaves(unit, statement.elseStatement)
}
