/**
 * The states found so far: packed states in the order of their finding, and an index from hash to position.
 * Memory is shared, so that other threads can read it.
 */
import { hashWords } from './hash.ts'

/** About 4 MB a chunk: large enough to be cheap, small enough not to waste. */
const CHUNK_WORDS = 1 << 20
const FIRST_TABLE = 1 << 12
/** Share of the index that may be filled. */
const FULL = 0.7
/** Width from which hashes are kept. */
const HASHES_FROM = 4
/** Records taken in at a time: what they touch fits in the first caches. */
const SLICE = 512

/** What a search needs of a store. */
export interface Store {
  readonly count: number
  /** Edges found that lead to a state of a level already complete, without progress and without injected failure. */
  readonly retreating: number
  readonly bytes: number
  /** Bytes held at most while taking in `more` states. */
  bytesWith(more: number): number
  /**
   * Takes in records (state, hash, flags) standing from `from` to `to` in `records`. `old` is the number of states when the
   * level being expanded was complete: an edge to one of these that has none of the bits in `forward` is retreating.
   */
  insert(records: Int32Array, from: number, to: number, old: number, forward: number): void
  /** Copies `count` states beginning with number `first` to position `at` of `words`. */
  copy(first: number, count: number, words: Int32Array, at: number): void
  /** States before this number will not be copied during the search. */
  release(before: number): void
}

/** Why a search stops that the machine gives no more memory, whatever `--max-memory` says. */
export const OUT_OF_MEMORY = 'out of memory'

/** Takes records into a store; false if there is no memory for them, the store is then as it was but for some of them. */
export function takeIn(store: Store, records: Int32Array, from: number, to: number, old: number, forward: number): boolean {
  try {
    store.insert(records, from, to, old, forward)
    return true
  } catch (error) {
    // What engines throw when an array cannot be allocated.
    if (error instanceof RangeError) return false
    throw error
  }
}

/** What is needed to look at a store from another thread. */
export interface StoreImage {
  readonly width: number
  readonly count: number
  readonly chunks: readonly SharedArrayBuffer[]
  readonly table: SharedArrayBuffer
  readonly heads: SharedArrayBuffer
}

/**
 * States of `width` words. The index is open addressing over words of (tag, id + 1): a table of 2^n entries uses the hash's
 * low n bits as place and its others as tag, so that nearly all misses are decided without touching a state.
 */
export class StateStore implements Store {
  readonly width: number
  count = 0
  retreating = 0
  private readonly chunkBits: number
  /** Keeps the compiler from leaving out reads made for their effect on the caches. */
  sink = 0
  private chunks: Int32Array[] = []
  /** The states' hashes, for wide states: growing the index would otherwise spend most of the search on hashing them again. */
  private readonly hashes: Int32Array[] | undefined
  private table: Int32Array
  private mask: number
  /** One bit a state: a retreating edge leads to it, so a cycle may pass through it. */
  private heads: Int32Array

  constructor(width: number) {
    this.width = width
    this.chunkBits = Math.max(4, Math.floor(Math.log2(CHUNK_WORDS / width)))
    this.hashes = width < HASHES_FROM ? undefined : []
    this.table = sharedWords(FIRST_TABLE)
    this.mask = FIRST_TABLE - 1
    this.heads = sharedWords(FIRST_TABLE / 32)
  }

  /** A store over another thread's memory. To be read only. */
  static view(image: StoreImage): StateStore {
    const store = new StateStore(image.width)
    store.count = image.count
    store.chunks = image.chunks.map((chunk) => new Int32Array(chunk))
    store.table = new Int32Array(image.table)
    store.mask = store.table.length - 1
    store.heads = new Int32Array(image.heads)
    return store
  }

  image(): StoreImage {
    const shared = (words: Int32Array): SharedArrayBuffer => words.buffer as SharedArrayBuffer
    return { width: this.width, count: this.count, chunks: this.chunks.map(shared), table: shared(this.table), heads: shared(this.heads) }
  }

  get bytes(): number {
    return 4 * (this.chunks.length * (this.stateWords << this.chunkBits) + this.table.length + this.heads.length)
  }

  bytesWith(more: number): number {
    const after = this.count + more
    let size = this.table.length
    let growing = 0
    while (after > size * FULL) {
      growing = size
      size *= 2
    }
    const chunks = Math.max(this.chunks.length, Math.ceil(after / 2 ** this.chunkBits))
    return 4 * (chunks * (this.stateWords << this.chunkBits) + (size + growing) * (33 / 32))
  }

  insert(records: Int32Array, from: number, to: number, old: number, forward: number): void {
    const slice = SLICE * (this.width + 2)
    for (let at = from; at < to; at += slice) this.insertSlice(records, at, Math.min(at + slice, to), old, forward)
  }

  private get stateWords(): number {
    return this.width + (this.hashes ? 1 : 0)
  }

  /** True if a retreating edge leads to the state. */
  isHead(id: number): boolean {
    return ((this.heads[id >>> 5] >>> (id & 31)) & 1) !== 0
  }

  private insertSlice(records: Int32Array, from: number, to: number, old: number, forward: number): void {
    const { width } = this
    const stride = width + 2
    const more = (to - from) / stride
    while (this.count + more > this.table.length * FULL) this.growTable()
    while (this.count + more >= this.chunks.length << this.chunkBits) {
      this.chunks.push(sharedWords(width << this.chunkBits))
      this.hashes?.push(new Int32Array(1 << this.chunkBits))
    }
    // All first entries are read before any is needed, so that the processor overlaps the misses. Reading the states as well
    // was measured to cost more than it gains.
    let sum = 0
    for (let at = from + width; at < to; at += stride) sum ^= this.table[records[at] & this.mask]
    this.sink = sum
    const { table, mask, heads, hashes, chunks, chunkBits } = this
    const inChunk = (1 << chunkBits) - 1
    let { count, retreating } = this
    for (let at = from; at < to; at += stride) {
      const hash = records[at + width]
      const tag = hash & ~mask
      let place = hash & mask
      for (;;) {
        const entry = table[place]
        if (entry === 0) {
          const chunk = chunks[count >>> chunkBits]
          const home = (count & inChunk) * width
          for (let w = 0; w < width; w++) chunk[home + w] = records[at + w]
          if (hashes) hashes[count >>> chunkBits][count & inChunk] = hash
          table[place] = tag | ++count
          break
        }
        if ((entry & ~mask) === tag) {
          const id = (entry & mask) - 1
          const chunk = chunks[id >>> chunkBits]
          const home = (id & inChunk) * width
          let w = 0
          while (w < width && chunk[home + w] === records[at + w]) w++
          if (w === width) {
            if (id < old && (records[at + width + 1] & forward) === 0) {
              retreating++
              heads[id >>> 5] |= 1 << (id & 31)
            }
            break
          }
        }
        place = (place + 1) & mask
      }
    }
    this.count = count
    this.retreating = retreating
  }

  /** Gives the number of the state at position `at` of `words`, or -1. */
  find(words: Int32Array, at: number, hash: number): number {
    const { width, table, mask, chunks, chunkBits } = this
    const inChunk = (1 << chunkBits) - 1
    const tag = hash & ~mask
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = table[place]
      if (entry === 0) return -1
      if ((entry & ~mask) !== tag) continue
      const id = (entry & mask) - 1
      const chunk = chunks[id >>> chunkBits]
      const home = (id & inChunk) * width
      let w = 0
      while (w < width && chunk[home + w] === words[at + w]) w++
      if (w === width) return id
    }
  }

  /** Nothing: the states are what the store is for. */
  release(): void {}

  copy(first: number, count: number, words: Int32Array, at: number): void {
    const inChunk = (1 << this.chunkBits) - 1
    for (let done = 0; done < count; ) {
      const id = first + done
      const chunk = this.chunks[id >>> this.chunkBits]
      const now = Math.min(count - done, inChunk + 1 - (id & inChunk))
      const home = (id & inChunk) * this.width
      if (now * this.width > 64) words.set(chunk.subarray(home, home + now * this.width), at + done * this.width)
      else for (let w = 0; w < now * this.width; w++) words[at + done * this.width + w] = chunk[home + w]
      done += now
    }
  }

  private growTable(): void {
    const size = this.table.length * 2
    if (size > 2 ** 30) throw new RangeError(`more than ${Math.floor(this.table.length * FULL)} states in one partition`)
    const table = sharedWords(size)
    const mask = size - 1
    const inChunk = (1 << this.chunkBits) - 1
    const { count, chunks, hashes: kept, chunkBits, width } = this
    const hashes = new Int32Array(SLICE)
    for (let first = 0; first < count; first += SLICE) {
      const n = Math.min(SLICE, count - first)
      let sum = 0
      for (let i = 0; i < n; i++) {
        const id = first + i
        const hash = kept ? kept[id >>> chunkBits][id & inChunk] : hashWords(chunks[id >>> chunkBits], (id & inChunk) * width, width)
        hashes[i] = hash
        sum ^= table[hash & mask]
      }
      this.sink = sum
      for (let i = 0; i < n; i++) {
        let place = hashes[i] & mask
        while (table[place] !== 0) place = (place + 1) & mask
        table[place] = (hashes[i] & ~mask) | (first + i + 1)
      }
    }
    const heads = sharedWords(size / 32)
    heads.set(this.heads)
    this.table = table
    this.mask = mask
    this.heads = heads
  }
}

function sharedWords(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * 4))
}
