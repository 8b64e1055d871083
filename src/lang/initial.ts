/** Initial values of columns, from the initial values written in structures and objects. */
import ts = require('typescript')

import type { Column } from '../ir/program.ts'
import { type Context, childScope, refuse } from './context.ts'
import { convertScalar } from './convert.ts'
import { expression } from './expression.ts'
import type { ColumnDraft, Segment } from './unit.ts'
import { displayOf, rangeOf, type Struct } from './value-type.ts'

/** Names and initial values of all cells of a column: objects in order, array elements in order within each. */
export function initialCells(context: Context, column: ColumnDraft): { readonly cells: string[]; readonly init: number[] } {
  const cells: string[] = []
  const init: number[] = []
  for (const object of column.struct.objects) {
    for (let element = 0; element < column.perObject; element++) {
      const indices = dimensions(column.path, element)
      cells.push(cellName(context, object.name, column.path, indices))
      init.push(
        column.struct === context.unit.inputStruct ||
          column.struct.name === 'Injected' ||
          (column.field === 'memory' && column.struct.fields.get('memory') === undefined)
          ? 0
          : initialValue(context, column, object.init, indices),
      )
    }
  }
  return { cells, init }
}

/** The columns known so far; their cells hold what is given for them, otherwise the initial values written in the model. */
export function columnsNow(context: Context, given: ReadonlyMap<string, number>): Column[] {
  const { unit } = context
  return unit.columns.map((draft) => {
    const [lo, hi] = rangeOf(draft.type, unit.threadNames.length)
    const word = draft.word === undefined ? {} : { word: draft.word }
    const { cells, init } = initialCells(context, draft)
    return {
      field: draft.field,
      struct: draft.struct.name,
      cells,
      init: init.map((value, i) => given.get(cells[i]) ?? value),
      lo,
      hi,
      display: displayOf(draft.type),
      ghost: draft.ghost,
      ...word,
    }
  })
}

/** Index of each dimension of a flat element number. */
function dimensions(path: readonly Segment[], element: number): number[] {
  const lengths = path.filter((segment) => 'length' in segment).map((segment) => (segment as { length: number }).length)
  const indices: number[] = []
  let rest = element
  for (const length of [...lengths].reverse()) {
    indices.unshift(rest % length)
    rest = Math.floor(rest / length)
  }
  return indices
}

function cellName(context: Context, object: string, path: readonly Segment[], indices: readonly number[]): string {
  let dimension = 0
  let name = object
  for (const segment of path) {
    if ('field' in segment) name += `.${segment.field}`
    else {
      const index = indices[dimension++]
      name += `[${segment.perThread ? context.unit.threadNames[index] : index}]`
    }
  }
  return name
}

function initialValue(context: Context, column: ColumnDraft, init: ts.ObjectLiteralExpression | undefined, indices: readonly number[]): number {
  let struct: Struct | undefined = column.struct
  let given: ts.Expression | undefined = init
  let dimension = 0
  for (const segment of column.path) {
    if ('length' in segment) {
      const index = indices[dimension++]
      given = elementOf(context, given, index)
      struct = given && ts.isNewExpression(given) ? structOf(context, given) : struct
      continue
    }
    const field: ReturnType<Struct['fields']['get']> = struct?.fields.get(segment.field)
    const written = given && ts.isObjectLiteralExpression(given) ? member(given, segment.field) : undefined
    if (field) {
      given = written ?? field.initial
      struct = field.type.k === 'inside' ? field.type.struct : undefined
      if (!given && field.type.k !== 'inside')
        return refuse(
          context,
          field.node,
          `${column.struct.name}.${field.name} has no initial value`,
          `${field.name} = ... in the class, or { ${field.name}: ... } in struct(...)`,
        )
      if (given && ts.isNewExpression(given)) given = undefined
    } else given = constantObject(context, given, segment.field) ?? (given && !ts.isObjectLiteralExpression(given) ? elementOf(context, given, 0) : written)
  }
  if (!given) return 0
  const value = expression({ ...context, pure: true, scope: childScope(undefined) }, given)
  const expr = convertScalar(context, given, value, column.type)
  if (expr.e === 'const') return expr.value
  return refuse(context, given, 'an initial value must be constant', 'a constant, and setup() for the rest')
}

/** `const PTE_NONE: Pte = {...}` as an initial value: the member of the constant. */
function constantObject(context: Context, given: ts.Expression | undefined, name: string): ts.Expression | undefined {
  if (!given || !ts.isIdentifier(given)) return undefined
  const declaration = context.unit.symbol(given)?.valueDeclaration
  if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer || !ts.isObjectLiteralExpression(declaration.initializer))
    return undefined
  return member(declaration.initializer, name)
}

function structOf(context: Context, node: ts.NewExpression): Struct | undefined {
  const symbol = context.unit.symbol(node.expression)
  return symbol && context.unit.struct(symbol)
}

/** `array(n, x)`, `perThread(x)`, `each(x)`: x; a list: its element. */
function elementOf(context: Context, given: ts.Expression | undefined, index: number): ts.Expression | undefined {
  if (!given) return undefined
  if (ts.isArrayLiteralExpression(given)) return given.elements[index]
  if (ts.isCallExpression(given) && ts.isIdentifier(given.expression)) return given.arguments[given.arguments.length - 1]
  if (ts.isNewExpression(given)) return given
  return refuse(context, given, 'this is no initial value of an array', 'array(n, x), perThread(x), each(x) or [a, b]')
}

function member(literal: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const property of literal.properties) {
    if (ts.isPropertyAssignment(property) && ts.isIdentifier(property.name) && property.name.text === name) return property.initializer
    if (ts.isShorthandPropertyAssignment(property) && property.name.text === name) return property.name
  }
  return undefined
}
