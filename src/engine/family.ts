/** Many searches of one program under different inputs: code is generated once. */

import { expressions } from '../ir/liveness.ts'
import type { Program } from '../ir/program.ts'
import { columnsRead } from '../ir/prune.ts'
import { explore, judge } from './explore.ts'
import { atGrain } from './grain.ts'
import { layOut } from './layout.ts'
import { Limits } from './limits.ts'
import { type Code, compile } from './runner.ts'
import { search } from './search.ts'
import type { Exploration, ExploreOptions } from './verdict.ts'

/** A member's verdict, and the inputs it follows from: with any other values of the rest it would be the same. */
export interface Member {
  readonly exploration: Exploration
  readonly inputsRead: readonly string[]
}

/** Programs that differ in initial values alone. */
export class Family {
  private readonly program: Program
  private readonly fused: Program
  private readonly code: Code
  /** Inputs that a guard, a check or a property looks at: they count as read. */
  private readonly always: ReadonlySet<string>

  /** `program` has `inputs`; its members have other initial values. */
  constructor(program: Program) {
    this.program = program
    this.fused = atGrain(program, 'lock')
    this.code = compile(this.fused, layOut(this.fused), 'wasm')
    const seen = new Set<number>()
    for (const thread of this.fused.threads)
      for (const node of thread.nodes) for (const expr of expressions(node)) for (const column of columnsRead(expr)) seen.add(column)
    const { always, finally: atEnd, eventually, sometimes } = program.properties
    for (const { cond } of [...always, ...atEnd, ...eventually, ...sometimes]) for (const column of columnsRead(cond)) seen.add(column)
    this.always = new Set((program.inputs ?? []).flatMap(({ name, column }) => (seen.has(column) ? [name] : [])))
  }

  /** Explores a member at grain lock, in this thread, without traces. Where a race shows it is explored again at grain access. */
  async explore(member: Program, options: ExploreOptions): Promise<Member> {
    const inputs = this.program.inputs ?? []
    const limits = new Limits(options)
    const program: Program = {
      ...this.fused,
      changes: member.changes,
      // What nobody uses any more holds one value for ever, and has no bits.
      columns: this.fused.columns.map((column, c) => (column.lo === column.hi ? column : { ...column, init: member.columns[c].init })),
    }
    const searched = await search(program, this.code, { limits, stopAtRace: this.fused !== this.program })
    if (searched === null || searched.findings.raced) {
      const exploration = await explore(member, { ...options, jobs: 1, grain: 'access', traces: false })
      return { exploration, inputsRead: inputs.map(({ name }) => name) }
    }
    const exploration = await judge(program, 'lock', { ...options, traces: false }, limits, searched, searched)
    return { exploration, inputsRead: inputs.flatMap(({ name }, i) => (searched.inputsRead?.[i] || this.always.has(name) ? [name] : [])) }
  }
}
