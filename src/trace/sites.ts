/** Call sites as the ledger sees them: what their references are for, how many they took and gave, how long they held. */
import { callOf, type Holder, holderOf, innermost, isTeardown, isZap, shapeOf } from './holder.ts'
import type { TraceTables } from './source.ts'

/** What is known of a site once and for all. */
export interface SiteFacts {
  readonly id: number
  readonly frames: readonly string[]
  readonly teardown: boolean
  readonly shape: 'private' | 'fsdax' | 'p2pdma' | undefined
  /** Number of the call the task was in (`callOf`); interrupts, which are no call of the task, are 0. */
  readonly call: number
  /** As a put: it gives back a page-table entry's reference. */
  readonly zap: boolean
  /** The innermost function that is no helper, as a number. */
  readonly inner: number
}

/** A site's gets, over the whole trace. */
export interface GetStats {
  readonly dimension: number
  readonly facts: SiteFacts
  readonly holder: Holder
  /** References taken over the whole trace: a pin is one. */
  taken: number
  /** Of it, what can no longer be followed: events were lost, or the page was made anew. */
  abandoned: number
  /** The longest a reference was held that was given back: nanoseconds. */
  longest: number
}

/** Dimensions of life vectors: a site's gets are 2 * site, its puts 2 * site + 1. */
export const getDimension = (site: number): number => 2 * site
export const putDimension = (site: number): number => 2 * site + 1
export const siteOf = (dimension: number): number => dimension >> 1

export class Sites {
  private readonly facts: SiteFacts[] = []
  private readonly stats: (GetStats | undefined)[] = []
  private readonly names: string[] = ['']
  private tables: TraceTables | undefined
  /** Site of a stack, remembered: asked once an event. */
  private siteOfStack = new Int32Array(1 << 10).fill(-1)

  use(tables: TraceTables): void {
    this.tables = tables
  }

  ofStack(stack: number): number {
    if (stack >= this.siteOfStack.length) {
      const bigger = new Int32Array(Math.max(stack + 1, this.siteOfStack.length * 2)).fill(-1)
      bigger.set(this.siteOfStack)
      this.siteOfStack = bigger
    }
    const known = this.siteOfStack[stack]
    if (known >= 0) return known
    const site = this.tables?.site(stack) ?? 0
    this.siteOfStack[stack] = site
    return site
  }

  of(site: number): SiteFacts {
    let facts = this.facts[site]
    if (!facts) {
      const frames = this.tables?.siteFrames(site) ?? []
      facts = {
        id: site,
        frames,
        teardown: isTeardown(frames),
        shape: shapeOf(frames),
        call: this.number(callOf(frames)),
        zap: isZap(frames),
        inner: this.number(innermost(frames)),
      }
      this.facts[site] = facts
    }
    return facts
  }

  private number(name: string): number {
    let number = this.names.indexOf(name)
    if (number < 0) number = this.names.push(name) - 1
    return number
  }

  callName(call: number): string {
    return this.names[call] ?? ''
  }

  /** The statistics of a site's gets; made at its first, which says what they are for. */
  gets(site: number, allocates: boolean, pins: boolean): GetStats {
    let stats = this.stats[site]
    if (!stats) {
      const facts = this.of(site)
      stats = {
        dimension: getDimension(site),
        facts,
        holder: holderOf(facts.frames, allocates, pins),
        taken: 0,
        abandoned: 0,
        longest: 0,
      }
      this.stats[site] = stats
    }
    return stats
  }

  statsOf(site: number): GetStats | undefined {
    return this.stats[site]
  }

  get allGets(): readonly GetStats[] {
    return this.stats.filter((stats) => stats !== undefined)
  }
}
