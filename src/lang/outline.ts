/** The statements of the model's functions, to tell which of them no program contains. */
import ts = require('typescript')

import type { Sources } from './source.ts'

export interface ModelStatement {
  /** Names it within a set of sources. */
  readonly key: string
  /** Key of the statement it stands in, if any. */
  readonly within?: string
  readonly file: string
  readonly line: number
  readonly function: string
  /** Its first line. */
  readonly text: string
}

/** Names a statement. */
export function statementKey(sources: Sources, node: ts.Statement): string {
  return `${sources.displayPath(node.getSourceFile())}:${node.getStart()}`
}

/** Gives the statements that do something, in order: no blocks, and no jumps, which leave nothing behind in a program. */
export function statementsBelow(sources: Sources, directory: string): ModelStatement[] {
  const found: ModelStatement[] = []
  for (const file of sources.program.getSourceFiles()) {
    const path = sources.displayPath(file)
    if (!path.startsWith(directory) || file.isDeclarationFile) continue
    const visit = (node: ts.Node, name: string | undefined, within: string | undefined): void => {
      const inner = ts.isFunctionDeclaration(node) ? (node.name?.text ?? '') : name
      let holder = within
      if (inner !== undefined && ts.isStatement(node) && does(node)) {
        const text = node.getText().split('\n')[0]
        holder = statementKey(sources, node)
        found.push({
          key: holder,
          ...(within === undefined ? {} : { within }),
          file: path,
          line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
          function: inner,
          text,
        })
      }
      ts.forEachChild(node, (child) => visit(child, inner, holder))
    }
    visit(file, undefined, undefined)
  }
  return found
}

function does(node: ts.Statement): boolean {
  if (ts.isReturnStatement(node)) return node.expression !== undefined && !ts.isLiteralExpression(node.expression)
  return (
    ts.isIfStatement(node) ||
    ts.isExpressionStatement(node) ||
    ts.isVariableStatement(node) ||
    ts.isIterationStatement(node, false) ||
    ts.isSwitchStatement(node)
  )
}
