/** References that are out, in columns: they come and go by the million. */
import { PAGES, roomFor } from './columns.ts'

/** One open reference, as others see it. */
export interface OpenReference {
  /** Counts up in order of their taking; each has its own. */
  readonly id: number
  readonly site: number
  readonly pid: number
  readonly time: number
  /** What is left of it: 1, or 1024 for a pin. */
  readonly amount: number
  /** What it was. */
  readonly taken: number
}

/** A pool of references. Each page's are a list, the youngest first; 0 is its end. */
export class OpenReferences {
  site = new Int32Array(PAGES)
  pid = new Int32Array(PAGES)
  time = new Float64Array(PAGES)
  amount = new Int32Array(PAGES)
  taken = new Int32Array(PAGES)
  /** The next older one of the page. */
  next = new Int32Array(PAGES)
  private id = new Float64Array(PAGES)
  private free = 0
  private size = 1
  private ids = 0

  /** A new reference, in front of `next`. */
  add(site: number, pid: number, time: number, amount: number, next: number): number {
    let at = this.free
    if (at !== 0) this.free = this.next[at]
    else {
      at = this.size++
      if (at >= this.site.length) this.grow()
    }
    this.site[at] = site
    this.pid[at] = pid
    this.time[at] = time
    this.amount[at] = amount
    this.taken[at] = amount
    this.next[at] = next
    this.id[at] = ++this.ids
    return at
  }

  /** Takes a reference out of the list that begins with `first`; gives what it begins with then. */
  drop(first: number, reference: number): number {
    const { next } = this
    const after = next[reference]
    next[reference] = this.free
    this.free = reference
    if (first === reference) return after
    let before = first
    while (next[before] !== reference) before = next[before]
    next[before] = after
    return first
  }

  dropAll(first: number): void {
    for (let at = first; at !== 0; ) at = this.drop(at, at)
  }

  /** A list, the oldest first. */
  list(first: number): number[] {
    const all: number[] = []
    for (let at = first; at !== 0; at = this.next[at]) all.push(at)
    return all.reverse()
  }

  idOf(at: number): number {
    return this.id[at]
  }

  view(at: number): OpenReference {
    return {
      id: this.id[at],
      site: this.site[at],
      pid: this.pid[at],
      time: this.time[at],
      amount: this.amount[at],
      taken: this.taken[at],
    }
  }

  private grow(): void {
    const size = this.site.length * 4
    this.site = roomFor(this.site, size)
    this.pid = roomFor(this.pid, size)
    this.time = roomFor(this.time, size)
    this.amount = roomFor(this.amount, size)
    this.taken = roomFor(this.taken, size)
    this.next = roomFor(this.next, size)
    this.id = roomFor(this.id, size)
  }
}
