/** Pairs of whole numbers, each pair numbered from 0 as it is first met: a hash table without a heap object a pair. */
import { roomFor } from './columns.ts'

export class Pairs {
  size = 0
  /** The pairs, by number. */
  firsts = new Int32Array(256)
  seconds = new Int32Array(256)
  /** 1 + a pair's number; 0: empty. A power of two long. */
  private slots = new Int32Array(1 << 9)
  /** The pair that was asked for last: nearly always it is asked for again. */
  private lastFirst = -1
  private lastSecond = -1
  private lastNumber = -1

  /** The number of (a, b); a new one is made if the pair was never met. */
  number(a: number, b: number): number {
    if (a === this.lastFirst && b === this.lastSecond) return this.lastNumber
    this.lastFirst = a
    this.lastSecond = b
    this.lastNumber = this.look(a, b)
    return this.lastNumber
  }

  private look(a: number, b: number): number {
    const { slots } = this
    const mask = slots.length - 1
    for (let slot = hashOf(a, b) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot] - 1
      if (known < 0) return this.add(a, b, slot)
      if (this.firsts[known] === a && this.seconds[known] === b) return known
    }
  }

  /** The number of (a, b); -1: never met. */
  find(a: number, b: number): number {
    const { slots } = this
    const mask = slots.length - 1
    for (let slot = hashOf(a, b) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot] - 1
      if (known < 0 || (this.firsts[known] === a && this.seconds[known] === b)) return known
    }
  }

  private add(a: number, b: number, slot: number): number {
    const number = this.size++
    this.firsts = roomFor(this.firsts, this.size)
    this.seconds = roomFor(this.seconds, this.size)
    this.firsts[number] = a
    this.seconds[number] = b
    this.slots[slot] = this.size
    if (this.size * 2 > this.slots.length) this.rehash()
    return number
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 4)
    const mask = slots.length - 1
    for (let i = 0; i < this.size; i++) {
      let slot = hashOf(this.firsts[i], this.seconds[i]) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = i + 1
    }
    this.slots = slots
  }
}

function hashOf(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

/** How often two numbers met. */
export class PairCounts {
  private readonly pairs = new Pairs()
  private counts = new Float64Array(256)

  /** Adds one for (a, b). */
  add(a: number, b: number): void {
    const number = this.pairs.number(a, b)
    if (number >= this.counts.length) this.counts = roomFor(this.counts, number + 1)
    this.counts[number]++
  }

  get(a: number, b: number): number {
    const number = this.pairs.find(a, b)
    return number < 0 ? 0 : this.counts[number]
  }

  /** All pairs that met. */
  *entries(): Iterable<{ readonly a: number; readonly b: number; readonly times: number }> {
    for (let i = 0; i < this.pairs.size; i++) yield { a: this.pairs.firsts[i], b: this.pairs.seconds[i], times: this.counts[i] }
  }
}
