/**
 * Pairs the gets of one page's life with the puts that pay them back. A put names no get: where several references are open, it is the
 * one that the put's call site was seen to pay back, in the whole recording, where there was no choice; else of its kind, of its task,
 * the youngest. Each pair says how sure it is.
 */
import type { HolderClass } from '../trace/holder.ts'

/** What a pin adds to a page's count. */
const PIN = 1024
/** Counts of what was seen weigh alike from here on. */
const MOST_SEEN = 1e6

/** `only`: no other reference was open; `likely`: what speaks for it speaks for no other; `guess`: another may be meant as well. */
export type Sure = 'only' | 'likely' | 'guess'

/** A reference from its get to its put. */
export interface PairedReference {
  readonly class: HolderClass
  /** Who took it. */
  readonly function: string
  readonly pid: number
  readonly amount: number
  readonly from: number
  /** Null: still held at the end. */
  readonly to: number | null
  /** Places of the events. */
  readonly get: number
  readonly put: number | null
  /** Where its bar is drawn: bars of one lane do not overlap. */
  readonly lane: number
  /** Of its put; absent where none is known. */
  readonly sure?: Sure
}

export interface Get {
  readonly class: HolderClass
  readonly function: string
  readonly pid: number
  readonly amount: number
  readonly time: number
  /** Place of the event. */
  readonly event: number
  /** The recording's number of the call site. */
  readonly site: number
  /** Its call site was found never to be paid back. */
  readonly blamed: boolean
}

export interface Put {
  readonly amount: number
  readonly time: number
  readonly event: number
  readonly pid: number
  readonly site: number
  /** It takes an entry out of a page table. */
  readonly zap: boolean
}

interface Open {
  class: HolderClass
  readonly get: Get
  left: number
  taken: number
  readonly lane: number
  /** A put that paid back a part of it was a guess. */
  guessed: boolean
}

export class Pairing {
  readonly references: PairedReference[] = []
  lanes = 0
  private open: Open[] = []
  /** References from before what is known of the page: a put may pay one of those back. */
  private earlier = 0
  private readonly paid: (put: number, get: number) => number

  /** `paid`: how often a put's site was seen to pay back a get's where there was no choice. */
  constructor(paid: (put: number, get: number) => number) {
    this.paid = paid
  }

  /** The count above the free one is known, and is this much: what is not open was taken before. */
  above(count: number): void {
    this.earlier = Math.max(0, count - this.open.reduce((sum, { left }) => sum + left, 0))
  }

  take(get: Get): void {
    const last = this.open.at(-1)
    if (get.amount === PIN - 1 && last && last.left === 1 && last.get.pid === get.pid) {
      // The second step of a pin.
      last.left = PIN
      last.taken = PIN
      last.class = get.class
      return
    }
    const used = new Set(this.open.map(({ lane }) => lane))
    let lane = 0
    while (used.has(lane)) lane++
    this.lanes = Math.max(this.lanes, lane + 1)
    this.open.push({ class: get.class, get, left: get.amount, taken: get.amount, lane, guessed: false })
  }

  give(put: Put): void {
    let left = put.amount
    while (left > 0 && this.open.length > 0) {
      const { one, sure } = this.match(put, left)
      const paid = Math.min(left, one.left)
      left -= paid
      one.left -= paid
      if (sure === 'guess') one.guessed = true
      if (one.left > 0) continue
      this.close(one, put.event, put.time, one.guessed ? 'guess' : sure)
      this.open = this.open.filter((other) => other !== one)
    }
    this.earlier = Math.max(0, this.earlier - left)
  }

  /** All that is open ends here, by no put that is known: the page is free, or what was known of it is void. */
  forget(time: number | null): void {
    for (const one of this.open) this.close(one, null, time)
    this.open = []
    this.earlier = 0
  }

  private close({ class: kind, get, taken, lane }: Open, put: number | null, time: number | null, sure?: Sure): void {
    this.references.push({
      class: kind,
      function: get.function,
      pid: get.pid,
      amount: taken,
      from: get.time,
      to: time,
      get: get.event,
      put,
      lane,
      ...(sure === undefined ? {} : { sure }),
    })
  }

  private match(put: Put, amount: number): { readonly one: Open; readonly sure: Sure } {
    const { open } = this
    if (open.length === 1) return { one: open[0], sure: this.earlier === 0 ? 'only' : 'guess' }
    const strong = open.map((one) => this.evidence(one, put, amount))
    const most = Math.max(...strong)
    const best = open.filter((_, i) => strong[i] === most)
    const own = best.filter(({ get }) => get.pid === put.pid)
    const one = (own.length > 0 ? own : best)[(own.length > 0 ? own : best).length - 1]
    // References that are alike in all this are told apart by their age alone.
    const alone = best.length === 1 || own.length === 1
    return { one, sure: alone && this.earlier === 0 ? 'likely' : 'guess' }
  }

  /** What speaks for a reference, but for its task and its age. */
  private evidence(one: Open, put: Put, amount: number): number {
    const seen = Math.min(this.paid(put.site, one.get.site), MOST_SEEN)
    return (one.get.blamed ? 0 : 16e6) + (one.left >= PIN === amount >= PIN ? 8e6 : 0) + ((one.class === 'page-table entry') === put.zap ? 4e6 : 0) + seen
  }
}
