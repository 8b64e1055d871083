/** The states found so far. */
import { type Compiled, instantiate } from './compiled.ts'
import type { Functions } from './machine.ts'
import type { SearchMemory } from './search-memory.ts'
import { HASHES_FROM, HEADER, HEADER_WORDS, type StoreCode } from './store-code.ts'
import { StoredStates } from './stored-states.ts'

const FIRST_BITS = 12
/** Share of the index that may be filled. */
const FULL = 0.7

/** What a search needs of a store. */
export interface Store {
  readonly count: number
  /** Edges found that lead to a state of a level already complete, without progress and without injected failure. */
  readonly retreating: number
  readonly bytes: number
  /** Bytes held at most while taking in `more` states. */
  bytesWith(more: number): number
  /**
   * Takes in records (state, hash, flags) standing from `from` to `to` in the search's memory. `old` is the number of states when
   * the level being expanded was complete: an edge to one of these, without progress or injected failure, is retreating.
   */
  insert(from: number, to: number, old: number): void
  /** Copies `count` states beginning with number `first` to position `at` of `words`. */
  copy(first: number, count: number, words: Int32Array, at: number): void
  /** States before this number will not be copied during the search. */
  release(before: number): void
}

/** Why a search stops that the machine gives no more memory, whatever `--max-memory` says. */
export const OUT_OF_MEMORY = 'out of memory'

/** Takes records into a store; false if there is no memory for them, the store is then as it was but for some of them. */
export function takeIn(store: Store, from: number, to: number, old: number): boolean {
  try {
    store.insert(from, to, old)
    return true
  } catch (error) {
    // What engines throw when an array cannot be allocated, or a memory cannot grow.
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Where everything stands: table, heads, hashes and states, one after the other. */
interface Plan {
  readonly mask: number
  readonly table: number
  readonly heads: number
  readonly hashes: number
  readonly states: number
  /** States there is room for. */
  readonly room: number
  readonly end: number
}

/** A store of whole states at the end of a search's memory, which grows with it. */
export class StateStore extends StoredStates implements Store {
  private readonly code: Functions<StoreCode>
  private plan: Plan

  constructor(memory: SearchMemory, header: number, width: number, code: Compiled<StoreCode>) {
    super(memory, header, width)
    this.code = instantiate(code, memory)
    this.plan = this.planFor(FIRST_BITS)
    memory.grow(this.plan.end)
    this.writeHeader()
  }

  get bytes(): number {
    return 4 * (this.plan.states - this.header + this.count * this.width)
  }

  bytesWith(more: number): number {
    const after = this.count + more
    let plan = this.plan
    for (let bits = FIRST_BITS; after > plan.room && bits < 30; bits++) plan = this.planFor(bits)
    return 4 * (plan.states - this.header + after * this.width)
  }

  insert(from: number, to: number, old: number): void {
    const more = (to - from) / (this.width + 2)
    while (this.count + more > this.plan.room) this.grow()
    this.code.insert(this.header, from, to, old)
  }

  /** Nothing: the states are what the store is for. */
  release(): void {}

  private planFor(bits: number): Plan {
    const size = 2 ** bits
    const room = Math.floor(size * FULL)
    const table = this.header + HEADER_WORDS
    const heads = table + size
    const hashes = heads + size / 32
    const states = hashes + (this.width < HASHES_FROM ? 0 : room)
    return { mask: size - 1, table, heads, hashes, states, room, end: states + room * this.width }
  }

  /** Doubles the index. All moves to higher places, so it is moved beginning with the last; the index is made anew. */
  private grow(): void {
    const old = this.plan
    const bits = Math.log2(old.mask + 1) + 1
    const plan = this.planFor(bits)
    if (plan.end >= 2 ** 30) throw new RangeError(`more than ${old.room} states in one partition`)
    const { memory, count, width } = this
    memory.grow(plan.end)
    const { words } = memory
    words.copyWithin(plan.states, old.states, old.states + count * width)
    if (width >= HASHES_FROM) words.copyWithin(plan.hashes, old.hashes, old.hashes + count)
    words.copyWithin(plan.heads, old.heads, old.hashes)
    words.fill(0, plan.heads + (old.hashes - old.heads), plan.hashes)
    words.fill(0, plan.table, plan.heads)
    this.plan = plan
    this.writeHeader()
    this.code.refill(this.header)
  }

  private writeHeader(): void {
    const { mask, table, heads, hashes, states } = this.plan
    for (const [name, value] of Object.entries({ mask, table, heads, hashes, states })) {
      this.memory.words[this.header + HEADER[name as keyof typeof HEADER]] = value
    }
  }
}
