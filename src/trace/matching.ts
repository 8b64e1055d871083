/** Which get a put pays back, learnt where there is no choice. */
import type { OpenReferences } from './open-references.ts'
import { PairCounts } from './pairs.ts'
import { getDimension, putDimension, type Sites } from './sites.ts'
import type { Span } from './span.ts'

/** GUP's bias: what a pin adds to a page's count. In 5.10 to 6.12 in two steps, 1 and the rest. */
export const PIN = 1024
/** A pin is one reference, though it counts 1024. */
export function references(amount: number): number {
  return Math.floor(amount / PIN) + (amount % PIN)
}

/** Where more are open, nothing is learnt. */
const FEW = 4

export class Matching {
  private readonly sites: Sites
  private readonly references: OpenReferences
  /** How often a put site was seen to pay back a get site where there was no choice. */
  private paid = new PairCounts()
  /** How often a put site gave back a reference of a moment that a get site took. */
  private loops = new PairCounts()

  constructor(sites: Sites, references: OpenReferences) {
    this.sites = sites
    this.references = references
  }

  forget(): void {
    this.paid = new PairCounts()
    this.loops = new PairCounts()
  }

  /** Where only one open reference is of the kind a put gives back, it is that one. */
  learn(first: number, open: number, put: number): void {
    if (open > FEW || open === 0) return
    const { site, next } = this.references
    let only = first
    if (open > 1) {
      const { zap } = this.sites.of(put)
      only = 0
      for (let at = first; at !== 0; at = next[at]) {
        if (this.isEntry(site[at]) !== zap) continue
        if (only !== 0) return
        only = at
      }
      if (only === 0) return
    }
    this.paid.add(put, site[only])
  }

  /** A reference was taken and given back whole. */
  loop(put: number, get: number): void {
    this.loops.add(put, get)
  }

  /** The open reference a put most likely pays back: of several as likely, the youngest. */
  find(first: number, put: number, pid: number, amount: number): number {
    const { references, sites } = this
    const { zap, inner } = sites.of(put)
    let best = first
    let score = -1
    for (let at = first; at !== 0; at = references.next[at]) {
      const get = references.site[at]
      let value = Math.min(this.paid.get(put, get), 1e8) * 4
      if (amount >= PIN === references.amount[at] >= PIN) value += 4e9
      if (this.isEntry(get) === zap) value += 1e9
      if (sites.of(get).inner === inner) value += 2
      if (references.pid[at] === pid) value += 1
      if (value > score) {
        score = value
        best = at
      }
    }
    return best
  }

  /** Whether one of a page's open references is a page-table entry's. */
  hasEntry(first: number): boolean {
    for (let at = first; at !== 0; at = this.references.next[at]) if (this.isEntry(this.references.site[at])) return true
    return false
  }

  private isEntry(get: number): boolean {
    return this.sites.statsOf(get)?.holder.class === 'page-table entry'
  }

  /** How often a put site was seen to pay back a get site where there was no choice. */
  timesPaid(put: number, get: number): number {
    return this.paid.get(put, get)
  }

  /** Gets that a put site was seen to pay back, with how often. */
  paidBy(put: number): { site: number; times: number }[] {
    const found: { site: number; times: number }[] = []
    for (const { a, b, times } of this.paid.entries()) if (a === put) found.push({ site: b, times })
    return found.sort((a, b) => b.times - a.times || a.site - b.site)
  }

  /**
   * Adds to the span what was seen to begin and end within lives: a get and the put that gives it back, where each is the other's usual one. For
   * lives that did not end, so that what they do in between is no riddle. Call once, at the end.
   */
  addLoops(span: Span): void {
    const perPut = new Map<number, number>()
    for (const { a: put, times } of this.loops.entries()) perPut.set(put, (perPut.get(put) ?? 0) + times)
    for (const { a: put, b: get, times } of this.loops.entries()) {
      const taken = this.sites.statsOf(get)?.taken ?? 0
      if (times * 2 < (perPut.get(put) ?? 0) || times * 2 < taken) continue
      span.addLoop({ dimensions: [getDimension(get), putDimension(put)], amounts: [1, 1] })
    }
  }
}
