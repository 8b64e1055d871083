/** A store that remembers of each state only a hash of 64 bits; states themselves are kept for the levels still needed. */
import type { SearchMemory } from './search-memory.ts'
import type { Store } from './store.ts'

const CHUNK_WORDS = 1 << 18
const FIRST_TABLE = 1 << 12
const FULL = 0.7

/** Two states with equal hashes are taken for one: a search with it may miss states, and says so. */
export class FingerprintStore implements Store {
  readonly width: number
  count = 0
  /** Not known: levels are not remembered. */
  readonly retreating = 0
  private readonly chunkBits: number
  private readonly chunks: (Int32Array | undefined)[] = []
  private held = 0
  /** Pairs (the record's hash, a second one); both 0 where empty. */
  private table = new Int32Array(2 * FIRST_TABLE)
  private mask = FIRST_TABLE - 1

  private readonly memory: SearchMemory

  constructor(memory: SearchMemory, width: number) {
    this.memory = memory
    this.width = width
    this.chunkBits = Math.max(4, Math.floor(Math.log2(CHUNK_WORDS / width)))
  }

  get bytes(): number {
    return 4 * (this.held * (this.width << this.chunkBits) + this.table.length)
  }

  bytesWith(more: number): number {
    let size = this.mask + 1
    let growing = 0
    while (this.count + more > size * FULL) {
      growing = size
      size *= 2
    }
    const chunks = this.held + Math.ceil(more / 2 ** this.chunkBits)
    return 4 * (chunks * (this.width << this.chunkBits) + 2 * (size + growing))
  }

  insert(from: number, to: number): void {
    const { width } = this
    const records = this.memory.words
    const stride = width + 2
    while (this.count + (to - from) / stride > (this.mask + 1) * FULL) this.growTable()
    const { table, mask } = this
    for (let at = from; at < to; at += stride) {
      const first = records[at + width]
      const second = secondHash(records, at, width)
      let place = first & mask
      while (table[2 * place + 1] !== 0 && (table[2 * place] !== first || table[2 * place + 1] !== second)) place = (place + 1) & mask
      if (table[2 * place + 1] !== 0) continue
      table[2 * place] = first
      table[2 * place + 1] = second
      this.append(records, at)
    }
  }

  copy(first: number, count: number, words: Int32Array, at: number): void {
    const { width, chunkBits } = this
    for (let i = 0; i < count; i++) {
      const id = first + i
      const chunk = this.chunks[id >>> chunkBits] as Int32Array
      const home = (id & ((1 << chunkBits) - 1)) * width
      for (let w = 0; w < width; w++) words[at + i * width + w] = chunk[home + w]
    }
  }

  release(before: number): void {
    const end = before >>> this.chunkBits
    for (let c = end - 1; c >= 0 && this.chunks[c] !== undefined; c--) {
      this.chunks[c] = undefined
      this.held--
    }
  }

  private append(records: Int32Array, at: number): void {
    const { width, chunkBits } = this
    const id = this.count++
    let chunk = this.chunks[id >>> chunkBits]
    if (chunk === undefined) {
      chunk = new Int32Array(width << chunkBits)
      this.chunks[id >>> chunkBits] = chunk
      this.held++
    }
    const home = (id & ((1 << chunkBits) - 1)) * width
    for (let w = 0; w < width; w++) chunk[home + w] = records[at + w]
  }

  private growTable(): void {
    const old = this.table
    const table = new Int32Array(old.length * 2)
    const mask = this.mask * 2 + 1
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue
      let place = old[i] & mask
      while (table[2 * place + 1] !== 0) place = (place + 1) & mask
      table[2 * place] = old[i]
      table[2 * place + 1] = old[i + 1]
    }
    this.table = table
    this.mask = mask
  }
}

/** Independent of the first hash, and never 0. */
function secondHash(words: Int32Array, at: number, width: number): number {
  let h = 0x1b873593
  for (let i = 0; i < width; i++) {
    h = Math.imul(h ^ words[at + i], 0x5bd1e995)
    h ^= h >>> 13
    h = Math.imul(h, 0x27d4eb2f)
    h ^= h >>> 16
  }
  return h === 0 ? 1 : h
}
