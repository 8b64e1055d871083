/** Where the walk over a model begins: a scenario's objects, and its bodies. */
import ts = require('typescript')

import { runBody } from './call.ts'
import { type Context, childScope, refuse } from './context.ts'
import type { ScenarioDeclaration } from './declarations.ts'
import { declared } from './declared.ts'
import { place } from './expression.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { Unit } from './unit.ts'

/** The context of a body that nobody calls. */
export function contextOf(unit: Unit, thread: number, graph: GraphBuilder, setup: boolean): Context {
  return {
    unit,
    graph,
    thread,
    setup,
    stack: [],
    functions: [],
    scope: childScope(undefined),
    pure: false,
    inStep: false,
    ghost: false,
    lockless: false,
    loops: [],
  }
}

/** Gives the objects that a scenario's file declares their places. */
export function declareScenarioObjects(context: Context, scenario: ScenarioDeclaration): void {
  for (const statement of scenario.file.statements) {
    if (!ts.isVariableStatement(statement)) continue
    for (const declaration of statement.declarationList.declarations) {
      const symbol = context.unit.sources.checker.getSymbolAtLocation(declaration.name)
      const { initializer } = declaration
      if (
        symbol &&
        initializer &&
        ts.isCallExpression(initializer) &&
        ts.isIdentifier(initializer.expression) &&
        (initializer.expression.text === 'struct' || initializer.expression.text === 'structs')
      )
        declared(context, declaration, symbol)
    }
  }
}

/** Walks a body, the set-up's or a thread's, and ends its graph. */
export function lowerThread(context: Context, name: string, body: ts.Node, attempt: (body: () => void) => void): { graph: GraphBuilder } {
  attempt(() => {
    const frame = { name, file: context.unit.sources.displayPath(body.getSourceFile()), calledAt: 0 }
    const inner = { ...context, stack: [frame] }
    if (ts.isMethodDeclaration(body)) runBody({ ...inner, functions: [body] }, body, body)
    else {
      const callee = place(inner, body as ts.Expression)
      if (callee.v !== 'function') refuse(inner, body, 'a thread is a function', 'name() { ... }')
      else runBody({ ...inner, functions: [callee.body] }, body, callee.body)
    }
  })
  const file = body.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(body.getEnd())
  context.graph.emit({
    op: 'end',
    at: {
      file: context.unit.sources.displayPath(file),
      line: line + 1,
      column: 1,
      text: `end of ${name}`,
      stack: [{ name, file: context.unit.sources.displayPath(file), calledAt: 0 }],
    },
  })
  return { graph: context.graph }
}
