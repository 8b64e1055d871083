/** How often a task began to take references at a call site anew, after it had given some of them back: who comes again and again has gone on. */
import { roomFor } from './columns.ts'
import { Pairs } from './pairs.ts'

export class Rounds {
  private readonly pairs = new Pairs()
  private counts = new Int32Array(256)
  private gave = new Uint8Array(256)

  /** Notes that a task takes a reference at a site; gives the number of the round. */
  takes(site: number, pid: number): number {
    const number = this.number(site, pid)
    if (this.gave[number] !== 0) {
      this.counts[number]++
      this.gave[number] = 0
    }
    return this.counts[number]
  }

  /** Notes that a task gives back a reference of a site that it took itself. */
  gives(site: number, pid: number): void {
    this.gave[this.number(site, pid)] = 1
  }

  /** The number of the round a task is in. */
  of(site: number, pid: number): number {
    const number = this.pairs.find(site, pid)
    return number < 0 ? 0 : this.counts[number]
  }

  private number(site: number, pid: number): number {
    const number = this.pairs.number(site, pid)
    if (number >= this.counts.length) {
      this.counts = roomFor(this.counts, number + 1)
      this.gave = roomFor(this.gave, number + 1)
    }
    return number
  }
}
