/** States in a memory, to be looked at: packed, in the order of their finding, with an index from hash to number. */
import { SearchMemory, type WasmMemory } from './search-memory.ts'
import { HEADER } from './store-code.ts'

/** What another thread needs to look at them. */
export interface StoreImage {
  readonly width: number
  readonly header: number
  readonly memory: WasmMemory
}

/**
 * States of `width` words. The index is open addressing over words of (tag, number + 1): a table of 2^n entries uses the hash's
 * low n bits as place and its others as tag, so that nearly all misses are decided without touching a state.
 */
export class StoredStates {
  readonly width: number
  protected readonly memory: SearchMemory
  protected readonly header: number

  constructor(memory: SearchMemory, header: number, width: number) {
    this.memory = memory
    this.header = header
    this.width = width
  }

  /** Looks at the states of another thread. */
  static view({ memory, header, width }: StoreImage): StoredStates {
    return new StoredStates(SearchMemory.of(memory), header, width)
  }

  image(): StoreImage {
    return { width: this.width, header: this.header, memory: this.memory.wasm }
  }

  get count(): number {
    return this.field('count')
  }

  /** Edges found that lead to a state of a level already complete, without progress and without injected failure. */
  get retreating(): number {
    return this.field('retreating')
  }

  /** True if a retreating edge leads to the state. */
  isHead(id: number): boolean {
    return ((this.memory.words[this.field('heads') + (id >>> 5)] >>> (id & 31)) & 1) !== 0
  }

  /** Gives the number of the state at position `at` of `words`, or -1. */
  find(words: Int32Array, at: number, hash: number): number {
    const { width } = this
    const own = this.memory.words
    const [table, mask, states] = [this.field('table'), this.field('mask'), this.field('states')]
    const tag = hash & ~mask
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = own[table + place]
      if (entry === 0) return -1
      if ((entry & ~mask) !== tag) continue
      const id = (entry & mask) - 1
      const home = states + id * width
      let w = 0
      while (w < width && own[home + w] === words[at + w]) w++
      if (w === width) return id
    }
  }

  /** Copies `count` states beginning with number `first` to position `at` of `words`. */
  copy(first: number, count: number, words: Int32Array, at: number): void {
    const { width } = this
    const own = this.memory.words
    const home = this.field('states') + first * width
    if (count * width > 64) words.set(own.subarray(home, home + count * width), at)
    else for (let w = 0; w < count * width; w++) words[at + w] = own[home + w]
  }

  protected field(name: keyof typeof HEADER): number {
    return this.memory.words[this.header + HEADER[name]]
  }
}
