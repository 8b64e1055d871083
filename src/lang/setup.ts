/**
 * The set-up, lowered and run one statement at a time. While a statement runs, every field it cannot write is constant, and
 * decides branches: only what it can really get to is inlined, and not each driver and file system of the kernel.
 */
import ts from 'typescript'
import { interpret } from '../ir/interpreter.ts'
import type { Thread } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'
import { runBody } from './call.ts'
import { type Context, childScope, Refused } from './context.ts'
import type { ScenarioDeclaration } from './declarations.ts'
import { ModelError } from './diagnostic.ts'
import { GraphBuilder } from './graph-builder.ts'
import { columnsNow } from './initial.ts'
import { settledBySyntax } from './settled.ts'
import { diagnosticAt } from './source.ts'
import { statements } from './statement.ts'
import { finishThread } from './thread-graph.ts'
import type { Settled, Unit } from './unit.ts'
import { displayOf, rangeOf } from './value-type.ts'
import { findWrites } from './writes.ts'

/** Values of cells, by name. Those that are not in it are as the model declares them. */
type Cells = ReadonlyMap<string, number>

const MOST_STEPS = 10_000

/** Runs the set-up alone; gives the value of every cell it leaves. Nothing is run from its first mistake on. */
export function runSetup({ setup, name }: ScenarioDeclaration, contextOf: (graph: GraphBuilder) => Context): Cells {
  let cells: Cells = new Map()
  if (!setup) return cells
  const { unit } = contextOf(new GraphBuilder())
  for (const part of partsOf(setup)) {
    const context = contextOf(new GraphBuilder())
    const wrong = unit.diagnostics.length > 0
    const assumed = wrong ? undefined : settledBySyntax(context, findWrites(unit, part ?? [setup]), cells)
    unit.writtenBySetup.clear()
    let graph = lowerPart(unit, contextOf, setup, part, assumed?.settled)
    if (assumed?.broken()) graph = lowerPart(unit, contextOf, setup, part, undefined)
    if (unit.diagnostics.length === 0) cells = run(context, name, graph, cells)
  }
  unit.writtenBySetup.clear()
  unit.settled = () => undefined
  return unit.diagnostics.length === 0 ? cells : new Map()
}

/** Its statements one by one; from the first that declares a variable on, the rest together. Undefined: the whole body. */
function partsOf(setup: ts.FunctionLikeDeclaration): (readonly ts.Statement[] | undefined)[] {
  const { body } = setup
  if (!body || !ts.isBlock(body) || returns(body)) return [undefined]
  const declares = body.statements.findIndex((statement) => ts.isVariableStatement(statement))
  const single = declares < 0 ? body.statements : body.statements.slice(0, declares)
  const rest = declares < 0 ? [] : [body.statements.slice(declares)]
  return [...single.map((statement) => [statement]), ...rest]
}

function returns(node: ts.Node): boolean {
  if (ts.isReturnStatement(node)) return true
  if (ts.isFunctionLike(node)) return false
  return ts.forEachChild(node, (child) => returns(child) || undefined) ?? false
}

function lowerPart(
  unit: Unit,
  contextOf: (graph: GraphBuilder) => Context,
  setup: ts.FunctionLikeDeclaration,
  part: readonly ts.Statement[] | undefined,
  settled: Settled | undefined,
): GraphBuilder {
  unit.settled = settled ?? (() => undefined)
  const graph = new GraphBuilder()
  const file = unit.sources.displayPath(setup.getSourceFile())
  const stack = [{ name: 'setup', file, calledAt: 0 }]
  const context = { ...contextOf(graph), stack, functions: [setup], scope: childScope(undefined) }
  try {
    if (part) statements(context, part)
    else runBody(context, setup, setup)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
  }
  graph.emit({ op: 'end', at: { file, line: 0, column: 1, text: 'end of setup', stack } })
  return graph
}

/** Runs what one part was lowered to, from the cells the parts before it left. */
function run(context: Context, scenario: string, graph: GraphBuilder, before: Cells): Cells {
  const { unit } = context
  const thread: Thread = {
    name: 'setup',
    symmetry: 0,
    ...finishThread(graph, (draft) => {
      const [lo, hi] = rangeOf(draft.type, unit.threadNames.length)
      return { name: draft.name, lo, hi, display: displayOf(draft.type) }
    }),
  }
  const columns = columnsNow(context, before)
  const interpreter = interpret(
    {
      scenario,
      about: '',
      bounds: '',
      kernel: '',
      changes: [],
      hash: '',
      columns,
      threads: [thread],
      checks: unit.checks,
      properties: { always: [], finally: [], eventually: [], sometimes: [] },
      guarded: [],
    },
    { zeroDeadLocals: false },
  )
  let state = interpreter.initial()
  const pc = interpreter.shape.threadBase[0]
  for (let steps = 0; state[pc] !== DONE; steps++) {
    const next = interpreter.successors(state)
    const node = thread.nodes[state[pc]]
    const fail = (message: string, instead: string): never => {
      throw new ModelError([diagnosticAt(unit.sources, node.at, message, instead)])
    }
    if (next.length === 0) fail('the set-up waits here for ever', 'a set-up that no other thread needs to help')
    if (next.length > 1) fail('the set-up makes a choice', 'a set-up without choose() and may_fail()')
    if (next[0].to === null || steps > MOST_STEPS) fail('the set-up does not end', 'a set-up that reaches its end')
    else state = next[0].to
  }
  const after = columns.flatMap((column, c) => column.cells.map((cell, i): [string, number] => [cell, state[interpreter.shape.columnBase[c] + i]]))
  return new Map([...before, ...after])
}
