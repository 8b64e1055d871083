/** Which thread moves next in a random run. */
import { Prng } from './prng.ts'

export type Strategy = 'uniform' | 'pct'

/** Decides runs; what it decides in a run depends on the seed and on the run's number only. */
export interface RandomSchedule {
  begin(run: number): void
  /** One of `count` threads that can move, in ascending order from `threads[0]`. */
  pick(threads: Int32Array, count: number): number
  /** One of `count` outcomes of a thread's step. */
  choose(count: number): number
}

/** Every thread that can move is as likely as every other. */
export class UniformSchedule implements RandomSchedule {
  protected readonly random: Prng
  private readonly seed: number

  constructor(seed: number) {
    this.seed = seed
    this.random = new Prng(seed, 0)
  }

  begin(run: number): void {
    this.random.restart(this.seed, run)
  }

  pick(threads: Int32Array, count: number): number {
    return threads[this.random.below(count)]
  }

  choose(count: number): number {
    return this.random.below(count)
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs, ASPLOS 2010): threads have random priorities, and the first that can move does; at `depth - 1`
 * random steps the thread about to move falls behind all others. A bug that needs `depth` ordering constraints, of n threads
 * and runs of at most k steps, is found by one run with probability at least 1 / (n k^(depth - 1)).
 */
export class PctSchedule extends UniformSchedule {
  private readonly depth: number
  private readonly priorities: Int32Array
  private readonly changes: number[] = []
  /** k of the paper: how many steps a run has. */
  private readonly length: number
  private step = 0
  private lowest = 0
  private last = -1
  private alone = 0

  constructor(seed: number, threads: number, depth: number, length: number) {
    super(seed)
    this.depth = depth
    this.priorities = new Int32Array(threads)
    this.length = Math.max(1, length)
  }

  override begin(run: number): void {
    super.begin(run)
    const { priorities, random, depth } = this
    for (let t = 0; t < priorities.length; t++) {
      const other = random.below(t + 1)
      priorities[t] = priorities[other]
      priorities[other] = depth + t
    }
    this.changes.length = 0
    for (let i = 1; i < depth; i++) this.changes.push(random.below(this.length))
    this.step = 0
    this.lowest = 0
    this.last = -1
    this.alone = 0
  }

  override pick(threads: Int32Array, count: number): number {
    for (let i = 0; i < this.changes.length; i++) if (this.changes[i] === this.step) this.priorities[this.first(threads, count)] = this.depth - 1 - i
    let thread = this.first(threads, count)
    // The paper's programs yield where they spin. A kernel loop that waits for another thread does not: after as many steps as
    // any run had, the others have their turn.
    if (thread === this.last && count > 1 && ++this.alone > this.length) {
      this.priorities[thread] = --this.lowest
      thread = this.first(threads, count)
    }
    if (thread !== this.last) this.alone = 0
    this.last = thread
    this.step++
    return thread
  }

  private first(threads: Int32Array, count: number): number {
    let first = threads[0]
    for (let i = 1; i < count; i++) if (this.priorities[threads[i]] > this.priorities[first]) first = threads[i]
    return first
  }
}
