/** Which target is asked next, and about which mutants. */
import type { Target } from './laboratory.ts'
import type { Imports } from './model-files.ts'

/** The kernels, the one first that most is known to differ from: what kills a mutant on one mostly kills it on the others too. */
const FIRST = ['v7.3', 'v5.10', 'v6.12', 'v5.18', 'v6.1', 'v5.15+seed']

export interface AgendaMutant {
  readonly nth: number
  readonly file: string
  /** What killed it in an earlier run, by name. */
  readonly killer?: string
  /** No more need be asked about it. */
  readonly decided: () => boolean
  readonly asked: (target: Target) => boolean
}

export class Agenda {
  private readonly targets: readonly Target[]
  private readonly mutants: readonly AgendaMutant[]
  private readonly imports: (scenario: string) => Imports
  private readonly begun = new Set<Target>()
  private readonly killersTried = new Set<string>()

  constructor(targets: readonly Target[], mutants: readonly AgendaMutant[], imports: (scenario: string) => Imports) {
    this.targets = targets
    this.mutants = mutants
    this.imports = imports
  }

  get left(): number {
    return this.targets.length - this.begun.size
  }

  /** Undefined when nothing is left to ask. */
  next(): { readonly target: Target; readonly mutants: readonly number[] } | undefined {
    return this.killer() ?? this.fresh()
  }

  /** What killed some before is asked about those alone. */
  private killer(): { target: Target; mutants: number[] } | undefined {
    for (const target of this.targets) {
      const name = `${target.scenario} ${target.kernel}`
      if (this.killersTried.has(name)) continue
      this.killersTried.add(name)
      const mutants = this.mutants.flatMap((one) => (one.killer === name && !one.decided() && !one.asked(target) ? [one.nth] : []))
      if (mutants.length > 0) return { target, mutants }
    }
    return undefined
  }

  /** The scenario whose own files have most open mutants, on one kernel of each before another kernel of any. */
  private fresh(): { target: Target; mutants: number[] } | undefined {
    let best: { target: Target; mutants: number[]; rank: number } | undefined
    for (const target of this.targets) {
      if (this.begun.has(target)) continue
      const { direct, all } = this.imports(target.scenario)
      const open = this.mutants.filter((one) => all.has(one.file) && !one.decided() && !one.asked(target))
      if (open.length === 0) {
        this.begun.add(target)
        continue
      }
      const own = open.filter(({ file }) => direct.has(file)).length
      const rank = own - 10_000 * FIRST.indexOf(target.kernel)
      if (!best || rank > best.rank) best = { target, mutants: open.map(({ nth }) => nth), rank }
    }
    if (!best) return undefined
    this.begun.add(best.target)
    return best
  }
}
