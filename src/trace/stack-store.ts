/** Stacks as addresses, each distinct one once. An id is its number of arrival, from 1; 0 is "no stack". */

const EMPTY = 0

/** Interns stacks given as 32-bit words, two a frame (low, high). */
export class StackStore {
  /** Hash table of ids; its size is a power of two. */
  private table = new Uint32Array(1 << 10)
  private mask = (1 << 10) - 1
  private hashes = new Int32Array(1 << 9)
  /** Where the words of each stack begin in `words`; one more than there are stacks. */
  private starts = new Uint32Array((1 << 9) + 1)
  private words = new Uint32Array(1 << 14)
  private count = 0

  /** How many stacks there are; ids are 1..size. */
  get size(): number {
    return this.count
  }

  /** The id of the stack in `words[from..from + length)`; `hash` must be the same function of the words at every call. */
  intern(words: Uint32Array, from: number, length: number, hash: number): number {
    let slot = hash & this.mask
    for (;;) {
      const id = this.table[slot]
      if (id === EMPTY) break
      if (this.hashes[id - 1] === hash && this.same(id - 1, words, from, length)) return id
      slot = (slot + 1) & this.mask
    }
    return this.add(words, from, length, hash, slot)
  }

  /** Whether the stack of this id is the one in `words[from..from + length)`. */
  is(id: number, words: Uint32Array, from: number, length: number): boolean {
    return this.same(id - 1, words, from, length)
  }

  private same(index: number, words: Uint32Array, from: number, length: number): boolean {
    const start = this.starts[index]
    if (this.starts[index + 1] - start !== length) return false
    const own = this.words
    for (let i = 0; i < length; i++) if (own[start + i] !== words[from + i]) return false
    return true
  }

  private add(words: Uint32Array, from: number, length: number, hash: number, slot: number): number {
    const index = this.count++
    if (index + 1 >= this.starts.length) {
      this.starts = grown(this.starts, index + 2)
      this.hashes = new Int32Array(grown(new Uint32Array(this.hashes.buffer), index + 1).buffer)
    }
    const start = this.starts[index]
    if (start + length > this.words.length) this.words = grown(this.words, start + length)
    this.words.set(words.subarray(from, from + length), start)
    this.starts[index + 1] = start + length
    this.hashes[index] = hash
    this.table[slot] = index + 1
    if (this.count * 2 > this.table.length) this.rehash()
    return index + 1
  }

  private rehash(): void {
    this.table = new Uint32Array(this.table.length * 2)
    this.mask = this.table.length - 1
    for (let i = 0; i < this.count; i++) {
      let slot = this.hashes[i] & this.mask
      while (this.table[slot] !== EMPTY) slot = (slot + 1) & this.mask
      this.table[slot] = i + 1
    }
  }

  /** The words of a stack, two a frame: low, high. */
  wordsOf(id: number): Uint32Array {
    return this.words.subarray(this.starts[id - 1], this.starts[id])
  }

  /** The stacks after the first `known`, to be added to another store: lengths, then words. */
  since(known: number): { readonly lengths: Uint32Array; readonly words: Uint32Array } {
    const lengths = new Uint32Array(this.count - known)
    for (let i = known; i < this.count; i++) lengths[i - known] = this.starts[i + 1] - this.starts[i]
    return { lengths, words: this.words.slice(this.starts[known], this.starts[this.count]) }
  }
}

function grown(array: Uint32Array, need: number): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(Math.max(need, array.length * 2))
  bigger.set(array)
  return bigger
}

/** The hash `StackStore.intern` wants, of all words. */
export function hashWords(words: Uint32Array, length: number): number {
  let hash = length
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ words[i], 0x01000193) ^ (hash >>> 15)
  return hash ^ (hash >>> 13)
}
