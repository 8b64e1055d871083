/** The package's own scenarios for tests: loaded once, compiled for a kernel with changes, searched once. */
import { compileFor, kernelsFor, type Selection, select } from '../../src/cli/models.ts'
import { explore } from '../../src/engine/explore.ts'
import type { Exploration, ExploreOptions } from '../../src/engine/verdict.ts'
import type { CheckKind, Program } from '../../src/ir/program.ts'

let loaded: Selection | undefined

/** Every scenario of the package. */
export function models(): Selection {
  loaded ??= select([])
  return loaded
}

/** Switches added to and taken from a kernel: `+name`, `-name`. */
export type Change = `+${string}` | `-${string}`

/** A scenario of the package on a kernel. */
export interface Pair {
  readonly scenario: string
  readonly kernel: string
}

/** Every scenario on every kernel it makes sense on. */
export function pairs(): Pair[] {
  const { model, scenarios } = models()
  return scenarios.flatMap((one) => kernelsFor(model, one, []).map((kernel): Pair => ({ scenario: one.name, kernel: kernel as string })))
}

export function compiled(name: string, kernel: string, changes: readonly Change[] = []): Program {
  const { model, scenarios } = models()
  const scenario = scenarios.find((one) => one.name === name)
  if (!scenario) throw new Error(`no scenario ${name}`)
  for (const change of changes) if (!model.switches.has(change.slice(1))) throw new Error(`no switch ${change}`)
  const named = (sign: string): string[] => changes.filter((one) => one.startsWith(sign)).map((one) => one.slice(1))
  return compileFor(model, scenario, kernel, { with: named('+'), without: named('-') })
}

const searches = new Map<string, Promise<Exploration>>()

/** The search of a scenario on a kernel, made once. */
export function searched(name: string, kernel: string, changes: readonly Change[] = []): Promise<Exploration> {
  const key = [name, kernel, ...changes].join(' ')
  const known = searches.get(key)
  if (known) return known
  const made = explore(compiled(name, kernel, changes), { jobs: 1 })
  searches.set(key, made)
  return made
}

/** The verdict of every check, by id. */
export function outcomes({ program, checks }: Exploration): Record<string, string> {
  return Object.fromEntries(checks.map((one) => [program.checks[one.check].id, one.outcome]))
}

/** What a search says, but for traces, times and sizes. */
export function verdicts(result: Exploration): object {
  return { complete: result.complete, verdict: result.verdict, checks: outcomes(result), sometimes: result.sometimes }
}

/** Ids of the checks that failed. */
export function failed({ program, checks }: Exploration): string[] {
  return checks.flatMap((one) => (one.outcome === 'violation' ? [program.checks[one.check].id] : []))
}

/** Kinds of the checks that failed, each once. */
export function failedKinds({ program, checks }: Exploration): CheckKind[] {
  return [...new Set(checks.flatMap((one) => (one.outcome === 'violation' ? [program.checks[one.check].kind] : [])))]
}

/** Searches at grain `access`, in this thread, whole. */
export function exact(program: Program, options: ExploreOptions = {}): Promise<Exploration> {
  return explore(program, { grain: 'access', jobs: 1, maxStates: 100_000, ...options })
}
