/** How often a task began to take references at a call site anew, after it had given some of them back: who comes again and again has gone on. */
import { roomFor } from './columns.ts'
import { Pairs } from './pairs.ts'

/** So many rounds are remembered, with when each began. */
export const ROUNDS = 20

export class Rounds {
  private readonly pairs = new Pairs()
  private counts = new Int32Array(256)
  /** Per site and task, when its last rounds began: a ring. */
  private began = new Float64Array(256 * ROUNDS).fill(Number.NEGATIVE_INFINITY)
  private gave = new Uint8Array(256)

  /** Notes that a task takes a reference at a site. */
  takes(site: number, pid: number, time: number): void {
    const number = this.number(site, pid)
    if (this.gave[number] === 0) return
    this.began[number * ROUNDS + (this.counts[number]++ % ROUNDS)] = time
    this.gave[number] = 0
  }

  /** Notes that a task gives back a reference of a site that it took itself. */
  gives(site: number, pid: number): void {
    this.gave[this.number(site, pid)] = 1
  }

  /** How many rounds a task began at a site after a time, of the last `ROUNDS`. */
  since(site: number, pid: number, time: number): number {
    const number = this.pairs.find(site, pid)
    if (number < 0) return 0
    let rounds = 0
    for (let at = number * ROUNDS; at < (number + 1) * ROUNDS; at++) if (this.began[at] > time) rounds++
    return rounds
  }

  private number(site: number, pid: number): number {
    const number = this.pairs.number(site, pid)
    if (number >= this.counts.length) {
      this.counts = roomFor(this.counts, number + 1)
      this.gave = roomFor(this.gave, number + 1)
      const before = this.began.length
      this.began = roomFor(this.began, (number + 1) * ROUNDS)
      this.began.fill(Number.NEGATIVE_INFINITY, before)
    }
    return number
  }
}
