/** States in which nothing can move, as an assertion: a process that SPIN lets run only then. */
import type { CheckKind, Program } from '../ir/program.ts'
import { printExpr } from './promela-expression.ts'
import type { Names, Scope } from './promela-names.ts'
import { type Process, scopeOf, stopLabel } from './promela-process.ts'
import type { ThreadVariables } from './promela-variables.ts'
import { noticed, type Watch } from './promela-watch.ts'

/** Checks about states in which nothing can move. */
export const HANGS = ['deadlock', 'lost-wake', 'sleeps'] as const satisfies readonly CheckKind[]

/**
 * Writes the process that notices hangs of the watched kinds. The kinds exclude each other: `lost-wake`
 * if what some sleeper waits for holds; else `deadlock` if threads wait for each other in a cycle; else `sleeps`.
 */
export function hangMonitor(program: Program, names: Names, variables: readonly ThreadVariables[], watch: Watch, processes: readonly Process[]): string {
  const woken: string[] = []
  // on[t]: the thread that thread t waits for, counted from 1; 0 for nobody known. on[0] stays 0.
  const waits: string[] = []
  program.threads.forEach((thread, index) => {
    const name = names.threads[index]
    const own = scopeOf(program, names, index, variables[index])
    const scope: Scope = { column: own.column, local: (id) => `${name}:${own.local(id)}` }
    let on = '0'
    for (const stop of processes[index].stops) {
      const node = thread.nodes[stop]
      if (node.op !== 'step' || !node.guard) continue
      const standing = `${name}@${stopLabel(stop)}`
      if (node.guard.sleepsUntil) woken.push(`(${standing} && (${printExpr(node.guard.sleepsUntil, scope)}))`)
      if (node.guard.waitsFor) on = `(${standing} -> ${printExpr(node.guard.waitsFor, scope)} : ${on})`
    }
    waits.push(`    on[${index + 1}] = ${on};`)
  })
  const any = (list: readonly string[]): string => (list.length === 0 ? 'false' : `(${list.join(' || ')})`)
  const alive = any(names.threads.map((name) => `!${name}@end_done`))
  // Whoever can be followed for longer than there are threads runs into a cycle.
  const follow = (from: number): string => `${'on['.repeat(names.threads.length)}${from}${']'.repeat(names.threads.length)} != 0`
  const cycle = any(names.threads.map((_, index) => follow(index + 1)))
  const what = { 'lost-wake': any(woken), deadlock: `(!${any(woken)} && ${cycle})`, sleeps: `(!${any(woken)} && !${cycle})` }
  const statements = HANGS.flatMap((kind) => program.checks.flatMap((check, id) => (check.kind === kind ? noticed(watch, id, what[kind]) : [])))
  return [
    '/* Runs only when nothing else can. */',
    'active proctype watch() {',
    `  byte on[${names.threads.length + 1}];`,
    '  end_watch: atomic {',
    `    (timeout && !dead && ${alive});`,
    ...waits,
    ...statements.map((line) => `    ${line}`),
    '    skip',
    '  }',
    '}',
  ].join('\n')
}
