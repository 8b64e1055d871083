/** The graph that a search has found, one state at a time: successors are made again, not stored. */
import { hashWords, ownerOf } from './hash.ts'
import { type Layout, pack, unpack } from './layout.ts'
import { Runner } from './runner.ts'
import type { Searched } from './search.ts'
import { FLAG_BITS } from './workspace.ts'

/** States are numbered through all partitions. */
export class StateGraph {
  readonly layout: Layout
  readonly runner: Runner
  readonly size: number
  private readonly searched: Searched
  private readonly offsets: number[] = []

  constructor(searched: Searched) {
    this.layout = searched.code.layout
    this.runner = new Runner(searched.code)
    this.searched = searched
    let size = 0
    for (const store of searched.stores) {
      this.offsets.push(size)
      size += store.count
    }
    this.size = size
  }

  /** All states of a level. */
  *level(level: number): Generator<number> {
    const from = this.searched.levels[level]
    const to = this.searched.levels[level + 1]
    for (let p = 0; p < from.length; p++) for (let id = from[p]; id < to[p]; id++) yield this.offsets[p] + id
  }

  /** The level of a state: the least number of steps to it. */
  levelOf(state: number): number {
    const p = this.partition(state)
    const id = state - this.offsets[p]
    const { levels } = this.searched
    let [low, high] = [0, levels.length - 1]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (levels[middle][p] <= id) low = middle
      else high = middle
    }
    return low
  }

  /** States to which an edge without progress comes from the same or a later level: every silent cycle has one. */
  *heads(): Generator<number> {
    for (const [p, store] of this.searched.stores.entries()) {
      for (let id = 0; id < store.count; id++) if (store.isHead(id)) yield this.offsets[p] + id
    }
  }

  vector(state: number): Int32Array {
    const words = new Int32Array(this.layout.words)
    this.read(state, words, 0)
    return unpack(this.layout, words)
  }

  /** Copies a packed state. */
  read(state: number, words: Int32Array, at: number): void {
    const p = this.partition(state)
    this.searched.stores[p].copy(state - this.offsets[p], 1, words, at)
  }

  /** The number of a state given as vector, or -1. */
  numberOf(vector: Int32Array): number {
    const words = new Int32Array(this.layout.words)
    pack(this.layout, vector, words)
    return this.find(words, 0, hashWords(words, 0, words.length))
  }

  /** Makes the transitions out of a state; gives their number. The other methods then tell about each. */
  expand(state: number): number {
    const { runner } = this
    this.read(state, runner.memory, runner.workspace.source)
    return (runner.run(1) - runner.workspace.out) / runner.workspace.record
  }

  /** Target of the i-th transition made last; -1 if the search stopped before it was found. */
  target(i: number): number {
    const { workspace, memory } = this.runner
    const at = workspace.out + i * workspace.record
    return this.find(memory, at, memory[at + this.layout.words])
  }

  thread(i: number): number {
    return this.meta(i) >> FLAG_BITS
  }

  flags(i: number): number {
    return this.meta(i) & ((1 << FLAG_BITS) - 1)
  }

  private meta(i: number): number {
    const { workspace, memory } = this.runner
    return memory[workspace.out + i * workspace.record + this.layout.words + 1]
  }

  private find(words: Int32Array, at: number, hash: number): number {
    const { stores } = this.searched
    const p = ownerOf(hash, stores.length)
    const id = stores[p].find(words, at, hash)
    return id < 0 ? -1 : this.offsets[p] + id
  }

  private partition(state: number): number {
    let p = this.offsets.length - 1
    while (this.offsets[p] > state) p--
    return p
  }
}
