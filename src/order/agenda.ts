/** What is searched next: scenario by scenario, as a scenario's code serves all sets; in each the sets that are not decided without it. */

/** A set to be decided; `whole`: by all scenarios, even if one has shown it to be unsafe. */
export interface Item {
  readonly bits: number
  readonly whole: boolean
  /** True as long as the scenario has to be searched for the set. */
  needed(scenario: number): boolean
}

export class Agenda {
  private readonly items: readonly Item[]
  /** By scenario: items before this one are decided as far as it goes. */
  private readonly from: number[]
  /** By worker: the scenario it is at. */
  private readonly at = new Map<number, number>()

  constructor(scenarios: number, items: readonly Item[]) {
    this.items = items
    this.from = Array.from({ length: scenarios }, () => 0)
  }

  /** The next search for a worker, or undefined if there is none that nobody else is at. */
  next(worker: number): { readonly scenario: number; readonly bits: number } | undefined {
    const current = this.at.get(worker)
    const bits = current === undefined ? undefined : this.nextOf(current)
    if (current !== undefined && bits !== undefined) return { scenario: current, bits }
    this.at.delete(worker)
    const taken = new Set(this.at.values())
    for (let scenario = 0; scenario < this.from.length; scenario++) {
      if (taken.has(scenario)) continue
      const first = this.nextOf(scenario)
      if (first === undefined) continue
      this.at.set(worker, scenario)
      return { scenario, bits: first }
    }
    return undefined
  }

  /** Scenarios nobody has to search any more. */
  get done(): number {
    return this.from.filter((at) => at >= this.items.length).length
  }

  private nextOf(scenario: number): number | undefined {
    for (; this.from[scenario] < this.items.length; this.from[scenario]++) {
      const item = this.items[this.from[scenario]]
      if (item.needed(scenario)) return item.bits
    }
    return undefined
  }
}
