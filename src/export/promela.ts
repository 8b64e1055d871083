/**
 * A program in Promela, for SPIN: an independent explorer that must find the same states and transitions.
 *
 * Each program counter is a label, each transition one `atomic` block, each column a global array, each local in a local of
 * the process (`promela-variables.ts`), 0 where it is dead. States correspond one to one; the initial state is SPIN's initial state.
 */
import { evaluate } from '../ir/evaluate.ts'
import { interpret } from '../ir/interpreter.ts'
import type { Expr, Program } from '../ir/program.ts'
import { printExpr } from './promela-expression.ts'
import { HANGS, hangMonitor } from './promela-hang.ts'
import { type Names, promelaNames, promelaType, vectorBytes } from './promela-names.ts'
import { inComment, type Process, promelaProcess, scopeOf } from './promela-process.ts'
import { type ThreadVariables, threadVariables } from './promela-variables.ts'
import { noticed, reported, reporting, type Watch, watches, watchOf } from './promela-watch.ts'

export interface PromelaOptions {
  /** Id of the check whose violations become `assert(false)`, or of several; `all`: each check is printed when it fails first; without it no check is looked at. */
  readonly check?: string | readonly string[]
}

/** Largest vector that pan takes without being told. */
const DEFAULT_VECTOR = 1024

/** Writes a program as Promela. Throws if `check` is not one of the program's, or is a livelock, which no assertion can express. */
export function toPromela(program: Program, options: PromelaOptions = {}): string {
  const watch = watchOf(program, options.check)
  const variables = program.threads.map(threadVariables)
  const names = promelaNames(program, variables)
  const hang = watches(program, watch, HANGS)
  // Whether a fatal check failed can be reported only where it may: no transition is withheld for it.
  const alwaysSink = hang || watch.how === 'report'
  const after = afterStep(program, names, watch)
  const countEnded = watches(program, watch, ['finally', 'eventually'])
  const write = (sinks: boolean): Process[] =>
    program.threads.map((_, index) =>
      promelaProcess(program, index, { names, variables: variables[index], watch, alwaysSink, sinks, afterStep: after.length > 0, countEnded }),
    )
  // Whether one process needs the sink shows when it is written; then all must heed it.
  const first = write(alwaysSink)
  const sinks = alwaysSink || first.some((process) => process.sinks)
  const processes = sinks ? write(true) : first
  const parts = [
    header(program, options.check, watch, sinks, variables),
    reporting(program, watch),
    [...globals(program, names), ...(countEnded ? ['byte ended; /* threads that have ended: follows from where they stand */'] : [])].join('\n'),
    scratchVariables(
      Math.max(0, ...processes.map((process) => process.scratch)),
      processes.flatMap((process) => process.within),
    ),
    sinks ? `byte dead; /* number of the thread whose fatal check failed: the path has ended */` : '',
    sinks && watch.how !== 'report' ? forget(program, names) : '',
    after.length > 0 ? `inline after_step() {\n${after.map((line) => `  ${line}`).join('\n')}\n}` : '',
    ...processes.map((process) => process.text),
    hang ? hangMonitor(program, names, variables, watch, processes) : '',
    initially(program, watch),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** What follows each transition: `eventually` columns are set, and the watched property is asserted. */
function afterStep(program: Program, names: Names, watch: Watch): string[] {
  const scope = scopeOf(program, names)
  const { always, finally: atEnd, eventually } = program.properties
  const print = (cond: Expr): string => printExpr(cond, scope)
  const ended = `ended == ${program.threads.length}`
  return [
    ...eventually.map(({ cond, seen }) => `${names.columns[seen]} = (${print(cond)} -> 1 : ${names.columns[seen]});`),
    ...always.flatMap(({ check, cond }) => noticed(watch, check, `!(${print(cond)})`)),
    ...atEnd.flatMap(({ check, cond }) => noticed(watch, check, `(${ended} && !(${print(cond)}))`)),
    ...eventually.flatMap(({ check, seen }) => noticed(watch, check, `(${ended} && !${names.columns[seen]})`)),
  ]
}

function globals(program: Program, names: Names): string[] {
  const initial = interpret(program).initial()
  let at = 0
  return program.columns.flatMap((column, c) => {
    const values = [...initial.subarray(at, at + column.cells.length)]
    at += column.cells.length
    const type = promelaType(column.lo, column.hi)
    // Steps that no state enables may still name it. A hidden variable is no part of the state.
    if (values.length === 0) return [`hidden ${type} ${names.columns[c]}[2]; /* ${inComment(`${column.struct}.${column.field}`)}: there is no such object */`]
    const comment = `/* ${inComment(column.cells.join(', '))}${column.ghost ? ' (ghost)' : ''} */`
    if (values.length === 1) return [`${type} ${names.columns[c]} = ${values[0]}; ${comment}`]
    const same = values.every((value) => value === values[0])
    return [`${type} ${names.columns[c]}[${values.length}] = ${same ? values[0] : `{ ${values.join(', ')} }`}; ${comment}`]
  })
}

function scratchVariables(count: number, within: readonly string[]): string {
  const list = Array.from({ length: count }, (_, i) => `scratch_${i}`)
  const lines = [...(count === 0 ? [] : [`hidden int ${list.join(', ')};`]), ...within]
  return lines.length === 0 ? '' : ['/* Used within one step only; hidden variables are no part of the state. */', ...lines].join('\n')
}

/** Zeroes every global, so that ends of paths differ as little as possible. */
function forget(program: Program, names: Names): string {
  const lines = program.columns.flatMap(({ cells }, c) =>
    cells.length === 1 ? [`${names.columns[c]} = 0;`] : cells.map((_, i) => `${names.columns[c]}[${i}] = 0;`),
  )
  return `inline forget() {\n${[...(lines.length === 0 ? ['skip;'] : []), ...lines].map((line) => `  ${line}`).join('\n')}\n}`
}

/** A process that says what does not hold before anything moved. */
function initially(program: Program, watch: Watch): string {
  const { initial, shape } = interpret(program)
  const state = initial()
  const violated = program.properties.always.filter(({ check, cond }) => watch.checks.has(check) && evaluate(cond, state, shape, 0) === 0)
  if (violated.length === 0) return ''
  const body = watch.how === 'assert' ? ['assert(false)'] : violated.map(({ check }) => reported(check))
  return `/* What does not hold in the initial state. */\nactive proctype initially() { atomic { ${body.join('; ')} } }`
}

function header(program: Program, check: string | readonly string[] | undefined, watch: Watch, sinks: boolean, variables: readonly ThreadVariables[]): string {
  const vector = Math.ceil((vectorBytes(program, variables) * 1.25) / DEFAULT_VECTOR) * DEFAULT_VECTOR
  const changes = program.changes.length > 0 ? ` ${program.changes.join(' ')}` : ''
  const hang = watches(program, watch, HANGS)
  const exact = [
    'States and transitions are those of putpage at grain `access` with every reduction off. SPIN counts the initial state',
    'as one more transition ("stored + matched"). A transition in which a fatal check fails leads nowhere: it is not taken',
    'here, and not counted.',
  ]
  const leadsTo =
    watch.how === 'report'
      ? ['fails leads to a state with `dead` set, from which nobody moves. Each such end counts as a transition.']
      : [
          `fails ${hang ? '' : 'in a block that sets `dead` '}leads to a state with \`dead\` set, all globals 0, the thread at end_dead and the`,
          'others where they stood, from which nobody moves. There are at most as many extra states as the other threads have',
          'positions and values of locals; none if no fatal check fails. Each such end counts as a transition.',
        ]
  const sink = [
    'States and transitions are those of putpage at grain `access` with every reduction off, and these: a fatal check that',
    ...leadsTo,
    ...(hang ? ['The process `watch` adds states after each in which nothing can move.'] : []),
  ]
  const purpose = {
    count: 'Checks are ignored: this file is for counting.',
    assert:
      typeof check === 'string'
        ? `An assertion fails exactly if this check does: ${check}`
        : `An assertion fails exactly if one of ${watch.checks.size} checks does.`,
    report: 'pan prints `fails: ` and its id for each check that fails somewhere, livelocks apart: they are properties of cycles.',
  }[watch.how]
  const lines = [
    `${program.scenario} on ${program.kernel}${changes}, written by putpage (${program.hash})`,
    program.about,
    program.bounds,
    '',
    purpose,
    '',
    '  spin -a -o1 -o2 -o3 model.pml',
    `  gcc -O2 -fwrapv -DSAFETY -DNOREDUCE${vector > DEFAULT_VECTOR ? ` -DVECTORSZ=${vector}` : ''} -o pan pan.c`,
    '  ./pan -m1000000',
    '',
    ...(sinks ? sink : exact),
    'Every stop has an end label: a thread that waits for ever is not an error for SPIN.',
  ]
  return `/*\n${lines.map((line) => ` * ${inComment(line)}`.trimEnd()).join('\n')}\n */`
}
