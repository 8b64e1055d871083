/** What the Promela text does where a check fails: nothing, an assertion, or a line that pan prints. */
import type { CheckId, CheckKind, Program } from '../ir/program.ts'

/** Checks whose failure is to be seen, and how. */
export interface Watch {
  /** `count`: no check is watched. `assert`: some are assertions. `report`: all are, each printed when it fails first. */
  readonly how: 'count' | 'assert' | 'report'
  readonly checks: ReadonlySet<CheckId>
}

/** Gives what to watch for `check`: the id of a check, or several, `all`, or nothing. Throws if there is no such check, or if it is a livelock. */
export function watchOf(program: Program, check: string | readonly string[] | undefined): Watch {
  if (check === undefined) return { how: 'count', checks: new Set() }
  if (typeof check !== 'string') return { how: 'assert', checks: new Set(check.map((id) => watchable(program, id))) }
  const all = program.checks.map((_, id) => id)
  // A livelock is a property of cycles: no state shows it.
  if (check === 'all') return { how: 'report', checks: new Set(all.filter((id) => program.checks[id].kind !== 'livelock')) }
  return { how: 'assert', checks: new Set([watchable(program, check)]) }
}

function watchable(program: Program, check: string): CheckId {
  const watched = program.checks.findIndex(({ id }) => id === check)
  if (watched < 0) throw new Error(`No check has the id ${JSON.stringify(check)}.`)
  if (program.checks[watched].kind === 'livelock') throw new Error('A livelock is a property of cycles under fairness; it cannot be exported as an assertion.')
  return watched
}

/** Whether a check of one of these kinds is watched. */
export function watches(program: Program, watch: Watch, kinds: readonly CheckKind[]): boolean {
  return [...watch.checks].some((id) => kinds.includes(program.checks[id].kind))
}

/** Statements that see to it that a watched check is noticed if `fails` holds. */
export function noticed(watch: Watch, check: CheckId, fails: string): string[] {
  if (!watch.checks.has(check)) return []
  if (watch.how === 'assert') return [`assert(!(${fails}));`]
  return ['if', `:: ${fails} -> ${reported(check)}`, ':: else -> skip', 'fi;']
}

/** The statement that prints a check which failed. */
export function reported(check: CheckId): string {
  return `c_code { putpage_fails(${check}); }`
}

/** What `reported` calls. A check is printed once; that it was is no part of the state, and no step back makes it unsaid. */
export function reporting(program: Program, watch: Watch): string {
  if (watch.how !== 'report') return ''
  const ids = program.checks.map(({ id }) => `"${id.replace(/["\\{}%\n]/g, '_')}"`)
  return [
    'c_decl {',
    `  static const char *const putpage_check[] = { ${ids.join(', ')} };`,
    `  static char putpage_failed[${ids.length + 1}];`,
    '  static void putpage_fails(int check) {',
    '    if (!putpage_failed[check]) printf("fails: %s\\n", putpage_check[check]);',
    '    putpage_failed[check] = 1;',
    '  }',
    '}',
  ].join('\n')
}
