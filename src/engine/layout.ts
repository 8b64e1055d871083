/**
 * The packed form of a state: W words of 32 bits, in which no value straddles two words.
 *
 * A column's cells lie side by side with equal width, so that a cell whose number is known only at run time is a shift and
 * a mask away. A thread's locals are laid over one another: two locals share bits unless both are live at some program
 * counter at which the thread can stand.
 */
import { liveLocals } from '../ir/liveness.ts'
import type { LocalId, NodeId, Program, Thread } from '../ir/program.ts'
import { DONE, type VectorShape, vectorShape } from '../ir/state.ts'
import { reachableCounters } from './reachable.ts'

/** Where a value stands: stored as value - lo, in `bits` bits of word `word` from bit `shift`. */
export interface Slot {
  readonly word: number
  readonly shift: number
  readonly bits: number
  readonly lo: number
}

/** Cell i stands in word `word + floor(i / perWord)`, at bit `shift + (i % perWord) * bits`. */
export interface ColumnSlot extends Slot {
  readonly perWord: number
  readonly cells: number
}

export interface ThreadLayout {
  /** Nodes at which the thread can stand; the compact program counter indexes it, and `counters.length` is `DONE`. */
  readonly counters: readonly NodeId[]
  readonly compact: ReadonlyMap<NodeId, number>
  readonly pc: Slot
  /** By local; undefined if the local is never kept between transitions. */
  readonly locals: readonly (Slot | undefined)[]
  /** By compact program counter: the locals kept there. */
  readonly live: readonly (readonly LocalId[])[]
  /** By word: the bits that belong to this thread. */
  readonly masks: readonly number[]
}

export interface Layout {
  readonly words: number
  /** Bits in use, for reports. */
  readonly bits: number
  readonly columns: readonly ColumnSlot[]
  readonly threads: readonly ThreadLayout[]
  readonly shape: VectorShape
}

export interface LayoutOptions {
  /** False keeps every local everywhere: only for measuring what zeroing is worth. */
  readonly zeroDeadLocals?: boolean
}

/** Bits needed for the integers lo to hi. */
export function width(lo: number, hi: number): number {
  return hi <= lo ? 0 : Math.floor(Math.log2(hi - lo)) + 1
}

/** A mask of the lowest bits, as a signed word. */
export function lowMask(bits: number): number {
  return bits >= 32 ? -1 : (1 << bits) - 1
}

/** Decides where every value of a program's state stands. */
export function layOut(program: Program, options: LayoutOptions = {}): Layout {
  const room = new Room()
  const columns: ColumnSlot[] = []
  // Columns of several words first: they need neighbouring words, and what they leave free is filled by the rest.
  program.columns.forEach((column, c) => {
    const bits = width(column.lo, column.hi)
    const cells = column.cells.length
    if (bits * cells <= 32) return
    const perWord = Math.floor(32 / bits)
    const word = room.takeWords(Math.ceil(cells / perWord), Math.min(perWord, cells) * bits)
    columns[c] = { word, shift: 0, bits, lo: column.lo, perWord, cells }
  })
  const plans = program.threads.map((thread) => planThread(thread, options.zeroDeadLocals ?? true))
  const items: { bits: number; place: (word: number, shift: number) => void }[] = []
  program.columns.forEach((column, c) => {
    if (columns[c]) return
    const bits = width(column.lo, column.hi)
    const cells = column.cells.length
    items.push({
      bits: bits * cells,
      place: (word, shift) => {
        columns[c] = { word, shift, bits, lo: column.lo, perWord: Math.max(cells, 1), cells }
      },
    })
  })
  const homes = plans.map((plan) => plan.used.map(() => ({ word: 0, shift: 0 })))
  plans.forEach((plan, t) => {
    plan.used.forEach((bits, v) => {
      items.push({
        bits,
        place: (word, shift) => {
          homes[t][v] = { word, shift }
        },
      })
    })
  })
  items.sort((a, b) => b.bits - a.bits)
  for (const item of items) {
    const at = room.take(item.bits)
    item.place(at.word, at.shift)
  }
  const words = Math.max(room.used.length, 1)
  const threads = plans.map((plan, t) => finishThread(plan, homes[t], words))
  return { words, bits: room.total, columns, threads, shape: vectorShape(program) }
}

/** First fit over words; `used[w]` is the number of bits taken from the bottom of word w. */
class Room {
  readonly used: number[] = []
  total = 0

  takeWords(count: number, bits: number): number {
    const first = this.used.length
    for (let i = 0; i < count; i++) this.used.push(bits)
    this.total += count * bits
    return first
  }

  take(bits: number): { word: number; shift: number } {
    if (bits === 0) return { word: 0, shift: 0 }
    this.total += bits
    let word = this.used.findIndex((used) => used + bits <= 32)
    if (word < 0) word = this.used.push(0) - 1
    const shift = this.used[word]
    this.used[word] += bits
    return { word, shift }
  }
}

/** A thread's values in words of its own, before these are placed among the others. */
interface ThreadPlan {
  readonly counters: readonly NodeId[]
  readonly live: readonly (readonly LocalId[])[]
  readonly pcBits: number
  readonly locals: readonly (Slot | undefined)[]
  /** Bits used of each of the thread's own words. */
  readonly used: readonly number[]
}

function planThread(thread: Thread, zeroDead: boolean): ThreadPlan {
  const counters = reachableCounters(thread)
  const all = thread.locals.map((_, id) => id)
  const liveAt = liveLocals(thread)
  const live = counters.map((node) => (zeroDead ? liveAt.at(node) : all))
  const pcBits = width(0, counters.length)
  const atEntry = new Set(zeroDead ? liveAt.at(thread.entry) : all)

  const neighbours: Set<LocalId>[] = thread.locals.map(() => new Set())
  for (const together of live) for (const a of together) for (const b of together) if (a !== b) neighbours[a].add(b)
  const kept = [...new Set(live.flat())]
  // A local live at the entry may be read before it is written, and is 0 then.
  const range = (id: LocalId): { lo: number; bits: number } => {
    const { lo, hi } = thread.locals[id]
    const from = atEntry.has(id) ? Math.min(lo, 0) : lo
    return { lo: from, bits: width(from, atEntry.has(id) ? Math.max(hi, 0) : hi) }
  }
  kept.sort((a, b) => range(b).bits - range(a).bits || neighbours[b].size - neighbours[a].size || a - b)

  const locals: (Slot | undefined)[] = thread.locals.map(() => undefined)
  const used: number[] = [pcBits]
  for (const id of kept) {
    const { lo, bits } = range(id)
    const taken = [...neighbours[id]].flatMap((other) => locals[other] ?? [])
    let word = 0
    let shift = word === 0 ? pcBits : 0
    for (;;) {
      const clash = taken.find((slot) => slot.word === word && slot.bits > 0 && slot.shift < shift + bits && shift < slot.shift + slot.bits)
      if (clash) shift = clash.shift + clash.bits
      else if (shift + bits > 32) {
        word++
        shift = 0
      } else break
    }
    locals[id] = { word, shift, bits, lo }
    while (used.length <= word) used.push(0)
    used[word] = Math.max(used[word], shift + bits)
  }
  return { counters, live, pcBits, locals, used }
}

function finishThread(plan: ThreadPlan, homes: readonly { word: number; shift: number }[], words: number): ThreadLayout {
  const move = (slot: Slot): Slot => ({ ...slot, word: homes[slot.word].word, shift: homes[slot.word].shift + slot.shift })
  const masks = new Array<number>(words).fill(0)
  plan.used.forEach((bits, v) => {
    if (bits > 0) masks[homes[v].word] |= lowMask(bits) << homes[v].shift
  })
  return {
    counters: plan.counters,
    compact: new Map(plan.counters.map((node, i) => [node, i])),
    pc: move({ word: 0, shift: 0, bits: plan.pcBits, lo: 0 }),
    locals: plan.locals.map((slot) => slot && (slot.bits === 0 ? { ...slot, word: 0, shift: 0 } : move(slot))),
    live: plan.live,
    masks,
  }
}

/** Packs a state vector into `words` from position `at`. Slow: for single states. */
export function pack(layout: Layout, vector: Int32Array, words: Int32Array, at = 0): void {
  words.fill(0, at, at + layout.words)
  const put = (slot: Slot, value: number): void => {
    words[at + slot.word] |= ((value - slot.lo) & lowMask(slot.bits)) << slot.shift
  }
  layout.columns.forEach((column, c) => {
    for (let i = 0; i < column.cells; i++) put(cellSlot(column, i), vector[layout.shape.columnBase[c] + i])
  })
  layout.threads.forEach((thread, t) => {
    const base = layout.shape.threadBase[t]
    const pc = vector[base] === DONE ? thread.counters.length : (thread.compact.get(vector[base]) as number)
    put(thread.pc, pc)
    for (const id of thread.live[pc] ?? []) put(thread.locals[id] as Slot, vector[base + 1 + id])
  })
}

/** Gives the state vector of the packed state at position `at` of `words`. Slow: for single states. */
export function unpack(layout: Layout, words: Int32Array, at = 0): Int32Array {
  const vector = new Int32Array(layout.shape.length)
  const get = (slot: Slot): number => ((words[at + slot.word] >>> slot.shift) & lowMask(slot.bits)) + slot.lo
  layout.columns.forEach((column, c) => {
    for (let i = 0; i < column.cells; i++) vector[layout.shape.columnBase[c] + i] = get(cellSlot(column, i))
  })
  layout.threads.forEach((thread, t) => {
    const base = layout.shape.threadBase[t]
    const pc = get(thread.pc)
    vector[base] = pc === thread.counters.length ? DONE : thread.counters[pc]
    for (const id of thread.live[pc] ?? []) vector[base + 1 + id] = get(thread.locals[id] as Slot)
  })
  return vector
}

/** Where one cell of a column stands. */
export function cellSlot(column: ColumnSlot, index: number): Slot {
  return {
    word: column.word + Math.floor(index / column.perWord),
    shift: column.shift + (index % column.perWord) * column.bits,
    bits: column.bits,
    lo: column.lo,
  }
}
