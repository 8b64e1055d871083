/**
 * What completed lives have in common, as linear algebra. A life is a vector: for each call site how much it added and how much it took off.
 * Completed lives span a space; an open life without the reference that is still held lies in it, and with it does not. Attribution needs no
 * table of which put pays back which get: it is what the completed lives of this very trace say.
 *
 * Computed modulo a prime: membership is exact but for a chance of about one in 2^31.
 */

const PRIME = 2147483629

/** Dimensions beyond this are not learnt: a trace with that many call sites is not one workload. */
export const MOST_DIMENSIONS = 600

/** A life's vector: dimension and amount, in any order. */
export interface LifeVector {
  readonly dimensions: readonly number[]
  readonly amounts: readonly number[]
}

/** A space that grows by completed lives. */
export class Span {
  /** Reduced rows by pivot; each is 1 at its pivot and 0 at all smaller dimensions. */
  private readonly rows = new Map<number, Map<number, number>>()
  private readonly seen = new Set<number>()

  /** How many independent lives there are. */
  get rank(): number {
    return this.rows.size
  }

  /** Adds a completed life. The constant (dimension -1) makes it an affine space: lives add up to one life. */
  add(life: LifeVector): void {
    this.insert(life, 1)
  }

  /** Adds something that any life may do in between: it adds nothing to what is held. */
  addLoop(loop: LifeVector): void {
    this.insert(loop, 0)
  }

  private insert(life: LifeVector, constant: 0 | 1): void {
    for (const dimension of life.dimensions) this.seen.add(dimension)
    if (this.seen.size > MOST_DIMENSIONS) return
    const rest = this.reduce(toVector(life, constant))
    const pivot = smallest(rest)
    if (pivot === undefined) return
    const factor = inverse(rest.get(pivot) as number)
    for (const [at, value] of rest) rest.set(at, multiply(value, factor))
    this.rows.set(pivot, rest)
  }

  get dimensions(): Iterable<number> {
    return this.seen
  }

  /** Whether a site's dimension occurs in a completed life. */
  has(dimension: number): boolean {
    return this.seen.has(dimension)
  }

  /** Whether the vector is a combination of completed lives. */
  contains(life: LifeVector): boolean {
    return this.reduce(toVector(life, 1)).size === 0
  }

  private reduce(vector: Map<number, number>): Map<number, number> {
    for (;;) {
      let changed = false
      for (const pivot of [...vector.keys()].sort((a, b) => a - b)) {
        const value = vector.get(pivot)
        const row = this.rows.get(pivot)
        if (value === undefined || value === 0 || !row) continue
        for (const [at, other] of row) {
          const next = subtract(vector.get(at) ?? 0, multiply(value, other))
          if (next === 0) vector.delete(at)
          else vector.set(at, next)
        }
        changed = true
      }
      if (!changed) return vector
    }
  }
}

function toVector(life: LifeVector, constant: 0 | 1): Map<number, number> {
  const vector = new Map<number, number>(constant === 1 ? [[-1, 1]] : [])
  for (let i = 0; i < life.dimensions.length; i++) {
    const amount = ((life.amounts[i] % PRIME) + PRIME) % PRIME
    if (amount !== 0) vector.set(life.dimensions[i], amount)
  }
  return vector
}

function smallest(vector: Map<number, number>): number | undefined {
  let least: number | undefined
  for (const key of vector.keys()) if (least === undefined || key < least) least = key
  return least
}

/** a * b modulo the prime, without leaving exact doubles. */
function multiply(a: number, b: number): number {
  const high = Math.floor(a / 65536)
  const low = a & 65535
  return (((high * b) % PRIME) * 65536 + low * b) % PRIME
}

function subtract(a: number, b: number): number {
  return a >= b ? a - b : a - b + PRIME
}

function inverse(value: number): number {
  let result = 1
  let base = value
  let exponent = PRIME - 2
  while (exponent > 0) {
    if (exponent % 2 === 1) result = multiply(result, base)
    base = multiply(base, base)
    exponent = Math.floor(exponent / 2)
  }
  return result
}
