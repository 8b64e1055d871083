/** What a search says, without its traces: all that a mutant has to change. */
import type { Findings } from '../../src/engine/findings.ts'
import { atGrain } from '../../src/engine/grain.ts'
import { StateGraph } from '../../src/engine/graph.ts'
import { layOut } from '../../src/engine/layout.ts'
import { Limits } from '../../src/engine/limits.ts'
import { findLivelock } from '../../src/engine/livelock.ts'
import { type Code, compile } from '../../src/engine/runner.ts'
import { type Searched, search } from '../../src/engine/search.ts'
import { expressions } from '../../src/ir/liveness.ts'
import type { Program } from '../../src/ir/program.ts'
import { columnsRead } from '../../src/ir/prune.ts'

export interface QuickVerdict {
  /** Ids of the checks that failed, sorted. */
  readonly failed: readonly string[]
  /** What the scenario is about and never came to. */
  readonly never: readonly string[]
  /** The whole space was searched, and livelocks were looked for. */
  readonly complete: boolean
  readonly states: number
  /** Inputs of the program that some thread read. */
  readonly inputsRead: readonly string[]
}

export interface QuickLimits {
  readonly maxStates: number
  /** Seconds. */
  readonly timeout: number
}

/** Searches of programs that differ in initial values alone, in this thread: code is written once a grain. */
export class Searches {
  private readonly program: Program
  private readonly fused: Program
  private readonly codes = new Map<Program, Code>()
  /** Inputs that a guard, a check or a property looks at: they count as read. */
  private readonly always: ReadonlySet<string>

  constructor(program: Program) {
    this.program = program
    this.fused = atGrain(program, 'lock')
    const seen = new Set<number>()
    for (const { nodes } of this.fused.threads)
      for (const node of nodes) for (const expr of expressions(node)) for (const column of columnsRead(expr)) seen.add(column)
    for (const properties of Object.values(program.properties)) for (const { cond } of properties) for (const column of columnsRead(cond)) seen.add(column)
    this.always = new Set((program.inputs ?? []).flatMap(({ name, column }) => (seen.has(column) ? [name] : [])))
  }

  /** Searches one of them. With `before`, it ends as soon as a check has failed that did not fail there. */
  async verdict(member: Program, options: QuickLimits, before?: QuickVerdict): Promise<QuickVerdict> {
    const limits = new Limits(options)
    const { checks, properties } = this.program
    const known = new Set(before?.failed)
    const differs = ({ failedAt }: Findings): boolean => before !== undefined && checks.some(({ id }, check) => failedAt[check] !== undefined && !known.has(id))
    let used = this.fused
    let searched = await this.search(used, member, limits, (findings) => findings.raced || differs(findings))
    // What is joined to one step rests on locks: where they are not held it is searched again. A race that is new says enough.
    if (searched.findings.raced && used !== this.program && !differs(searched.findings)) {
      used = this.program
      searched = await this.search(used, member, limits, differs)
    }
    const { findings } = searched
    const failed = checks.flatMap(({ id }, check) => (findings.failedAt[check] === undefined ? [] : [id]))
    let complete = searched.limit === undefined && !differs(findings)
    if (complete && searched.retreating > 0) {
      const livelock = checks.findIndex(({ kind }) => kind === 'livelock')
      const found = await findLivelock(withInitial(used, member), new StateGraph(searched), livelock, limits)
      if (found === null) complete = false
      else if (found) failed.push(checks[livelock].id)
    }
    const never = properties.sometimes.flatMap(({ name }, i) => (findings.reached[i] ? [] : [name]))
    const inputsRead = (this.program.inputs ?? []).flatMap(({ name }, i) => (searched.inputsRead?.[i] || this.always.has(name) ? [name] : []))
    return { failed: failed.sort(), never: complete ? never : [], complete, states: searched.states, inputsRead }
  }

  private async search(program: Program, member: Program, limits: Limits, enough: (findings: Findings) => boolean): Promise<Searched> {
    let code = this.codes.get(program)
    if (!code) {
      code = compile(program, layOut(program), 'wasm')
      this.codes.set(program, code)
    }
    return (await search(withInitial(program, member), code, { limits, stopAtRace: false, enough })) as Searched
  }
}

/** The program at its grain, with the initial values of another. */
function withInitial(program: Program, member: Program): Program {
  // What nobody uses any more holds one value for ever, and has no bits.
  return { ...program, columns: program.columns.map((column, c) => (column.lo === column.hi ? column : { ...column, init: member.columns[c].init })) }
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
