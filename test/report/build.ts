/** Small programs written by hand, run by the reference interpreter: what a report is given, without a compiler or a search. */
import type { CheckVerdict, Counterexample, Exploration, Waiting } from '../../src/engine/verdict.ts'
import { interpret } from '../../src/ir/interpreter.ts'
import type { Check, Column, Expr, Node, Position, Program, Thread } from '../../src/ir/program.ts'

export const value = (n: number): Expr => ({ e: 'const', value: n })
export const local = (id: number): Expr => ({ e: 'local', local: id })
export const load = (column: number): Expr => ({ e: 'load', place: { column, index: value(0) } })
export const bin = (op: '+' | '-' | '==' | '<=' | '!=', a: Expr, b: Expr): Expr => ({ e: 'bin', op, a, b })

/** A position from `outer@file > inner@file:line text`, calls made one line before. */
export function at(where: string, line: number, text: string): Position {
  const frames = where.split(' > ').map((part) => part.split('@'))
  return {
    file: frames[frames.length - 1][1],
    line,
    column: 1,
    text,
    stack: frames.map(([name, file], i) => ({ name, file, calledAt: i === 0 ? 0 : 40 + i })),
  }
}

export const column = (struct: string, field: string, display: Column['display'], init: number, ghost = false, object = struct.toLowerCase()): Column => ({
  struct,
  field,
  cells: [`${object}.${field}`],
  lo: 0,
  hi: 15,
  display,
  ghost,
  init: [init],
})

/** Nodes that follow one another; a jump is given by its index. */
export function thread(name: string, nodes: readonly Node[]): Thread {
  const used = Math.max(0, ...nodes.map((node) => (node.op === 'load' ? node.dsts[0] + 1 : node.op === 'choose' ? node.dst + 1 : 0)))
  const locals = Array.from({ length: used }, (_, i) => ({ name: `local${i}`, lo: 0, hi: 15, display: { kind: 'int' as const } }))
  return { name, nodes, entry: 0, locals, symmetry: 0 }
}

export function program(parts: Pick<Program, 'scenario' | 'kernel' | 'bounds' | 'columns' | 'threads' | 'checks'> & { changes?: readonly string[] }): Program {
  return { about: '', changes: [], hash: 'c0ffee', guarded: [], properties: { always: [], finally: [], eventually: [], sometimes: [] }, ...parts }
}

/** Runs the threads in the order given (an index, or an index and which of its transitions) and makes a counterexample of it. */
export function trace(
  model: Program,
  check: number,
  schedule: readonly (number | readonly [number, number])[],
  more: { waiting?: Waiting[]; cycleFrom?: number } = {},
): Counterexample {
  const machine = interpret(model)
  let from = machine.initial()
  const steps = schedule.map((entry) => {
    const [index, nth] = typeof entry === 'number' ? [entry, 0] : entry
    const transition = machine.threadSuccessors(from, index)[nth]
    if (!transition) throw new Error(`${model.threads[index].name} cannot move`)
    const step = { from, transition }
    if (transition.to) from = transition.to
    return step
  })
  return { check, steps, ...more }
}

export function exploration(model: Program, counterexamples: readonly Counterexample[], parts: Partial<Exploration> = {}): Exploration {
  const checks = model.checks.map((_, check): CheckVerdict => {
    const counterexample = counterexamples.find((found) => found.check === check)
    return counterexample ? { check, outcome: 'violation', counterexample } : { check, outcome: 'pass' }
  })
  return {
    program: model,
    verdict: counterexamples.length > 0 ? 'violation' : 'pass',
    grain: 'lock',
    complete: true,
    fingerprint: false,
    states: 12345,
    transitions: 23456,
    depth: 17,
    seconds: 0.5,
    peakBytes: 1 << 20,
    checks,
    sometimes: [],
    ...parts,
  }
}

export const check = (kind: Check['kind'], name: string, message: string, fatal = false): Check => ({ kind, id: `${kind}:${name}`, name, message, fatal })
