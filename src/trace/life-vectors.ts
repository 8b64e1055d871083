/**
 * What lives added up to so far, as vectors: for each call site how much it added and how much it took off. Most lives go a way that others went
 * before; these are numbered states of one automaton, and a step is a look-up. A life that goes on and on has a vector of its own.
 */
import { roomFor } from './columns.ts'
import type { LifeVector } from './span.ts'

/** A vector: a state (above 0) or, below 0, one of its own. */
export type VectorId = number

/** Nothing was added or taken off. */
export const NOTHING: VectorId = 1

/** Lives with more steps, and what comes when there are so many states, have vectors of their own. */
const MOST_STEPS = 96
const MOST_STATES = 1 << 15
const TWO32 = 4294967296

interface Vector extends LifeVector {
  readonly dimensions: number[]
  readonly amounts: number[]
  /** What the life added, in all. */
  sum: number
  /** Hash of the vector. */
  low: number
  high: number
}

export class LifeVectors {
  private readonly states: Vector[] = [empty(), empty()]
  private readonly byText = new Map<string, VectorId>()
  /** Per state, the step it was left by last, and where that led; and all others. */
  private lastStep = new Int32Array(256).fill(-1)
  private lastNext = new Int32Array(256)
  private readonly nexts = new Map<number, VectorId>()
  private steps = new Uint8Array(256)
  /** Steps: a dimension and an amount, numbered. */
  private readonly stepIds = new Map<string, number>()
  private readonly stepDimensions: number[] = []
  private readonly stepAmounts: number[] = []
  private readonly own: Vector[] = [empty()]
  private readonly spare: number[] = []
  /** Completed lives by state, and all by the hash of their vector: how often. */
  private times = new Float64Array(256)
  private readonly completed = new Map<number, number>()

  /** The number of a step: `amount` more of `dimension` (see `sites.ts`). */
  step(dimension: number, amount: number): number {
    const text = `${dimension} ${amount}`
    let id = this.stepIds.get(text)
    if (id === undefined) {
      id = this.stepDimensions.push(dimension) - 1
      this.stepAmounts.push(amount)
      this.stepIds.set(text, id)
    }
    return id
  }

  /** The vector after a step. What it was before is gone, if it was one of its own. */
  go(from: VectorId, step: number): VectorId {
    if (from > 0) {
      if (this.lastStep[from] === step) return this.lastNext[from]
      const known = this.nexts.get(from * 65536 + step)
      return known === undefined ? this.find(from, step) : this.remember(from, step, known)
    }
    apply(this.own[-from], this.stepDimensions[step], this.stepAmounts[step])
    return from
  }

  private remember(from: VectorId, step: number, to: VectorId): VectorId {
    this.lastStep[from] = step
    this.lastNext[from] = to
    return to
  }

  private find(from: VectorId, step: number): VectorId {
    const vector = copy(this.states[from])
    apply(vector, this.stepDimensions[step], this.stepAmounts[step])
    const steps = this.steps[from] + 1
    if (steps > MOST_STEPS || this.states.length >= MOST_STATES || step >= 65536) return this.ownVector(vector)
    const text = `${vector.dimensions.join()} ${vector.amounts.join()}`
    let to = this.byText.get(text)
    if (to === undefined) {
      to = this.states.push(vector) - 1
      this.byText.set(text, to)
      if (to >= this.steps.length) this.grow()
      this.lastStep[to] = -1
      this.steps[to] = steps
    }
    this.nexts.set(from * 65536 + step, to)
    return this.remember(from, step, to)
  }

  private ownVector(vector: Vector): VectorId {
    const at = this.spare.pop() ?? this.own.length
    this.own[at] = vector
    return -at
  }

  /** Gives a vector back: its life is over. */
  release(id: VectorId): void {
    if (id < 0) this.spare.push(-id)
  }

  of(id: VectorId): Readonly<Vector> {
    return id > 0 ? this.states[id] : this.own[-id]
  }

  /** Notes that a life with this vector was completed. True if it is the first with it, as long as such are collected. */
  complete(id: VectorId): boolean {
    if (id > 0 && this.times[id]++ > 0) return false
    const key = keyOf(this.of(id))
    const known = this.completed.get(key)
    if (known !== undefined) {
      this.completed.set(key, known + 1)
      return false
    }
    // A life that went round a loop many times says no more than one that went round twice.
    if (this.completed.size >= 20_000) return false
    this.completed.set(key, 1)
    return true
  }

  /** Forgets which lives were completed. */
  forgetCompleted(): void {
    this.times.fill(0)
    this.completed.clear()
  }

  private grow(): void {
    const size = this.steps.length * 2
    this.steps = roomFor(this.steps, size)
    this.lastStep = roomFor(this.lastStep, size)
    this.lastNext = roomFor(this.lastNext, size)
    this.times = roomFor(this.times, size)
  }
}

function empty(): Vector {
  return { dimensions: [], amounts: [], sum: 0, low: 0, high: 0 }
}

function copy({ dimensions, amounts, sum, low, high }: Vector): Vector {
  return { dimensions: [...dimensions], amounts: [...amounts], sum, low, high }
}

function apply(vector: Vector, dimension: number, amount: number): void {
  const at = vector.dimensions.indexOf(dimension)
  if (at >= 0) vector.amounts[at] += amount
  else {
    vector.dimensions.push(dimension)
    vector.amounts.push(amount)
  }
  vector.sum += dimension % 2 === 0 ? amount : -amount
  const mixed = mix(dimension)
  vector.low = (vector.low + Math.imul(mixed, amount)) | 0
  vector.high = (vector.high + Math.imul(mix(mixed), amount)) | 0
}

/** A vector as one exact number, to look it up by. */
function keyOf({ low, high }: Vector): number {
  return (low >>> 0) + (high & 0x1fffff) * TWO32
}

function mix(value: number): number {
  let x = Math.imul(value + 0x7f4a7c15, 0x2c1b3c6d)
  x ^= x >>> 15
  x = Math.imul(x, 0x297a2d39)
  return x ^ (x >>> 13)
}
