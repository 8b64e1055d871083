/** The reachable states of a small program as a Graphviz graph. */
import { type Interpreter, interpret, type Transition } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'
import { cellsOf, exportedValue, uniqueThreadNames } from './values.ts'

export interface DotOptions {
  /** States shown; the default is 2,000. */
  readonly limit?: number
}

/**
 * Writes the graph of reachable states, breadth first. A node shows what differs from the initial state, which properties
 * fail there, and whether nothing can move; an edge the thread and the statement. A path that a fatal check ended leads to
 * an octagon. Beyond the limit no new states are shown: the graph's title then says so, and edges to them are left out.
 */
export function toDot(program: Program, options: DotOptions = {}): string {
  const limit = options.limit ?? 2000
  const interpreter = interpret(program)
  const threads = uniqueThreadNames(program)
  const initial = interpreter.initial()
  const numbers = new Map([[initial.join(), 0]])
  const states = [initial]
  const lines: string[] = []
  let left = 0
  let ends = 0
  for (let from = 0; from < states.length; from++) {
    const transitions = interpreter.successors(states[from])
    let incomplete = false
    const edges: string[] = []
    for (const transition of transitions) {
      const { to } = transition
      if (to === null) {
        const end = `end${ends++}`
        edges.push(`  ${end} [shape=octagon, color=red, label=${quote(checkIds(program, transition))}]`, edge(`s${from}`, end, program, threads, transition))
        continue
      }
      const key = to.join()
      let number = numbers.get(key)
      if (number === undefined && states.length < limit) {
        number = states.length
        numbers.set(key, number)
        states.push(to)
      }
      if (number === undefined) {
        left++
        incomplete = true
      } else edges.push(edge(`s${from}`, `s${number}`, program, threads, transition))
    }
    lines.push(node(from, states[from], initial, interpreter, transitions.length === 0, incomplete), ...edges)
  }
  const cut = left > 0 ? `\ncut at ${limit} states: ${left} steps to other states are not shown` : ''
  const title = quote(`${program.scenario} on ${[program.kernel, ...program.changes].join(' ')}: ${states.length} states${cut}`)
  return [
    'digraph states {',
    `  graph [label=${title}, labelloc=t]`,
    '  node [shape=box, fontname=monospace]',
    '  edge [fontname=monospace]',
    ...lines,
    '}',
    '',
  ].join('\n')
}

function node(number: number, state: Int32Array, initial: Int32Array, interpreter: Interpreter, stuck: boolean, incomplete: boolean): string {
  const { program, shape } = interpreter
  const changed = cellsOf(program).flatMap(({ name, column }, i) =>
    state[i] === initial[i] ? [] : [`${name} = ${exportedValue(program, column.display, state[i])}`],
  )
  const ended = program.threads.every((_, t) => state[shape.threadBase[t]] === DONE)
  const violated = interpreter.stateViolations(state).map((check) => `violates ${program.checks[check].id}`)
  const hung = stuck && !ended
  const text = [number === 0 ? 'initial' : `${number}`, ...changed, ...(ended ? ['all ended'] : []), ...(hung ? ['nothing can move'] : []), ...violated]
  const style = [...(violated.length > 0 || hung ? ['color=red'] : []), ...(ended ? ['peripheries=2'] : []), ...(incomplete ? ['style=dashed'] : [])]
  return `  s${number} [${[`label=${quote(text.join('\n'))}`, ...style].join(', ')}]`
}

function edge(from: string, to: string, program: Program, threads: readonly string[], transition: Transition): string {
  const nodes = program.threads[transition.thread].nodes
  const choice = transition.choices.length > 0 ? ` [${transition.choices.join(', ')}]` : ''
  const violations = transition.violations.length > 0 ? `\n${checkIds(program, transition)}` : ''
  const label = quote(`${threads[transition.thread]}: ${nodes[transition.nodes[0]].at.text}${choice}${violations}`)
  return `  ${from} -> ${to} [label=${label}${violations ? ', color=red' : ''}]`
}

function checkIds(program: Program, transition: Transition): string {
  return transition.violations.map((check) => program.checks[check].id).join('\n')
}

/** A string in Graphviz's quotes; lines are set flush left. */
function quote(text: string): string {
  const escaped = text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')
  return `"${escaped.includes('\n') ? `${escaped.replace(/\n/g, '\\l')}\\l` : escaped}"`
}
