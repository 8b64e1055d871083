/** A program as text: its state, and each thread step by step. For people who want to see what the compiler made. */
import type { Display, Expr, Node, Place, Program, Thread } from './program.ts'

/** Prints a program. Steps (accesses) are numbered with `*`; what follows them belongs to the same transition. */
export function printProgram(program: Program): string {
  const lines = [
    `${program.scenario} on ${program.kernel}${program.changes.length > 0 ? ` ${program.changes.join(' ')}` : ''}`,
    `  ${program.about}`,
    '',
    'state',
  ]
  program.columns.forEach((column, c) => {
    column.cells.forEach((cell, i) => {
      const marks = [column.ghost ? 'ghost' : '', program.guarded.includes(c) ? 'guarded' : ''].filter((mark) => mark !== '')
      lines.push(`  ${cell}: ${column.lo} .. ${column.hi} = ${shown(column.display, column.init[i])}${marks.length > 0 ? `  (${marks.join(', ')})` : ''}`)
    })
  })
  for (const thread of program.threads) {
    lines.push('', `thread ${thread.name}, begins at ${thread.entry}`)
    let where = ''
    thread.nodes.forEach((node, n) => {
      const frame = node.at.stack[node.at.stack.length - 1]
      const place = frame ? `${node.at.stack.map((one) => one.name).join(' > ')}  ${node.at.file}` : ''
      if (place !== where && place !== '') lines.push(`  -- ${place}`)
      where = place
      lines.push(
        `  ${node.op === 'step' || ((node.op === 'load' || node.op === 'store') && node.access) ? '*' : ' '}${String(n).padStart(4)} ${printNode(program, thread, node, n)}`,
      )
    })
  }
  lines.push('', 'checks', ...program.checks.map((check) => `  ${check.kind}: ${check.name}`), '')
  return lines.join('\n')
}

function shown(display: Display, value: number): string {
  if (display.kind === 'bool') return String(value !== 0)
  if (display.kind === 'enum') return display.members[value] ?? String(value)
  if (display.kind === 'ref') return value === 0 ? 'null' : (display.objects[value - 1] ?? String(value))
  return String(value)
}

function printNode(program: Program, thread: Thread, node: Node, n: number): string {
  const goes = node.op !== 'end' && node.op !== 'branch' && node.next !== n + 1 ? ` -> ${node.next}` : ''
  const expr = (from: Expr): string => printExpr(program, thread, from)
  const place = (from: Place): string => printPlace(program, thread, from)
  switch (node.op) {
    case 'assign':
      return `${thread.locals[node.dst].name} := ${expr(node.value)}${goes}`
    case 'load':
      return `${node.dsts.map((dst) => thread.locals[dst].name).join(', ')} := ${node.places.map(place).join(', ')}${goes}`
    case 'store':
      return `${node.places.map(place).join(', ')} := ${node.values.map(expr).join(', ')}${goes}`
    case 'step':
      return node.guard ? `wait until ${expr(node.guard.cond)}${goes}` : `atomic${goes}`
    case 'branch':
      return `if ${expr(node.cond)} -> ${node.then} else -> ${node.else}`
    case 'choose':
      return `${thread.locals[node.dst].name} := any of 0 .. ${node.count - 1}${node.failure ? ' (1: it fails)' : ''}${goes}`
    case 'check':
      return `${program.checks[node.check].kind} if ${expr(node.fails)}${goes}`
    case 'end':
      return 'end'
  }
}

function printPlace(program: Program, thread: Thread, place: Place): string {
  const column = program.columns[place.column]
  if (place.index.e === 'const') return column.cells[place.index.value] ?? `${column.struct}.${column.field}[?]`
  return `${column.struct}[${printExpr(program, thread, place.index)}].${column.field}`
}

function printExpr(program: Program, thread: Thread, expr: Expr): string {
  switch (expr.e) {
    case 'const':
      return String(expr.value)
    case 'local':
      return thread.locals[expr.local].name
    case 'load':
      return printPlace(program, thread, expr.place)
    case 'not':
      return `!${printExpr(program, thread, expr.a)}`
    case 'neg':
      return `-${printExpr(program, thread, expr.a)}`
    case 'bin':
      return `(${printExpr(program, thread, expr.a)} ${expr.op} ${printExpr(program, thread, expr.b)})`
    case 'cond':
      return `(${printExpr(program, thread, expr.c)} ? ${printExpr(program, thread, expr.a)} : ${printExpr(program, thread, expr.b)})`
  }
}
