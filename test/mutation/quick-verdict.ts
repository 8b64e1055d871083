/** What a search says, without its traces: all that a mutant has to change. */
import { searchAll } from '../../src/engine/explore.ts'
import { atGrain } from '../../src/engine/grain.ts'
import { StateGraph } from '../../src/engine/graph.ts'
import { Limits } from '../../src/engine/limits.ts'
import { findLivelock } from '../../src/engine/livelock.ts'
import type { Program } from '../../src/ir/program.ts'

export interface QuickVerdict {
  /** Ids of the checks that failed, sorted. */
  readonly failed: readonly string[]
  /** What the scenario is about and never came to. */
  readonly never: readonly string[]
  /** The whole space was searched, and livelocks were looked for. */
  readonly complete: boolean
  readonly states: number
}

export interface QuickLimits {
  readonly maxStates: number
  /** Seconds. */
  readonly timeout: number
}

/** Searches a program in this thread. `settled` may stop it before livelocks are looked for: what failed so far says enough. */
export async function quickVerdict(program: Program, options: QuickLimits, settled: (failed: readonly string[]) => boolean): Promise<QuickVerdict> {
  const limits = new Limits(options)
  const search = { jobs: 1 }
  let used = atGrain(program, 'lock')
  let searched = await searchAll(used, search, limits, { stopAtRace: used !== program })
  if (searched.findings.raced && used !== program) {
    used = program
    searched = await searchAll(used, search, limits, {})
  }
  const failed = program.checks.flatMap(({ id }, check) => (searched.findings.failedAt[check] === undefined ? [] : [id]))
  const never = program.properties.sometimes.flatMap(({ name }, i) => (searched.findings.reached[i] ? [] : [name]))
  let complete = searched.limit === undefined
  if (complete && searched.retreating > 0 && !settled(failed)) {
    const livelock = program.checks.findIndex(({ kind }) => kind === 'livelock')
    const found = await findLivelock(used, new StateGraph(searched), livelock, limits)
    if (found === null) complete = false
    else if (found) failed.push(program.checks[livelock].id)
  }
  return { failed: failed.sort(), never: complete ? never : [], complete, states: searched.states }
}

/** Words for how one verdict differs from another; undefined if it does not, or if a limit hides whether it does. */
export function difference(before: QuickVerdict, after: QuickVerdict): string | undefined {
  const more = after.failed.find((id) => !before.failed.includes(id))
  if (more !== undefined) return `fails: ${more}`
  if (!after.complete) return undefined
  const less = before.failed.find((id) => !after.failed.includes(id))
  if (less !== undefined) return `no longer fails: ${less}`
  const never = after.never.find((name) => !before.never.includes(name))
  if (never !== undefined) return `never: ${never}`
  const again = before.never.find((name) => !after.never.includes(name))
  return again === undefined ? undefined : `happens: ${again}`
}
