/**
 * What events say, each different thing once: operation, value, result, context and stack together are one small number, a letter. A recording of
 * millions of events has some hundred of them. All that follows from a letter alone is found out once, and lies in columns.
 */
import { roomFor } from './columns.ts'
import { deltaOf, type EventBatch, Op } from './page-event.ts'
import { versionOf } from './page-flags.ts'
import type { TraceTables } from './source.ts'

/** The kernel's functions that make a memory map: what they set begins a page's life anew. */
const BIRTH = /^(memmap_init_zone_device|__init_zone_device_page|__init_single_page)$/
/** The one add-unless whose excepted value is 1, until Linux commit 27674ef6c73f (in v5.18): mm/memcontrol.c of 5.10. */
const UNLESS_ONE = 'mc_handle_swap_pte'

/** What a letter demands of the count before it. */
export const Demand = {
  /** Nothing. */
  none: 0,
  /** Exactly `need`. */
  exactly: 1,
  /** Anything but `need`. */
  other: 2,
  /** It makes the page: what was before is void. */
  birth: 3,
} as const

/** What is known of letters, by letter: as far as those need it who follow calls. */
export interface LetterColumns {
  readonly op: Uint8Array
  readonly val: Int32Array
  readonly ret: Int32Array
  readonly stack: Uint32Array
  readonly site: Int32Array
}

/** Letters in columns: index by the letter. */
export class Letters implements LetterColumns {
  size = 0
  op = new Uint8Array(256)
  val = new Int32Array(256)
  ret = new Int32Array(256)
  context = new Uint8Array(256)
  stack = new Uint32Array(256)
  /** Of the stack, as `TraceTables.site`. */
  site = new Int32Array(256)
  /** See `Demand`; of an add-unless that was refused nothing is demanded, see `Settling`. */
  demand = new Uint8Array(256)
  need = new Int32Array(256)
  /** 1: the count behind it is `result`, exactly, whatever it was taken for before; 0: `delta` is added. */
  fixed = new Uint8Array(256)
  result = new Int32Array(256)
  delta = new Int32Array(256)
  private table = new Int32Array(1 << 11)
  private readonly excepted: number

  /** `release`: of the kernel, if known. */
  constructor(release: string | undefined) {
    this.excepted = release === undefined ? Number.NaN : versionOf(release) < 5018 ? 1 : 0
  }

  /** Fills the batch's column of letters. */
  fill(batch: EventBatch, tables: TraceTables): void {
    const { op, val, ret, context, stack, letter, length } = batch
    for (let row = 0; row < length; row++) letter[row] = this.letter(op[row], val[row], ret[row], context[row], stack[row], tables)
  }

  private letter(op: number, val: number, ret: number, context: number, stack: number, tables: TraceTables): number {
    const { table } = this
    const mask = table.length - 1
    let hash = Math.imul(stack, 0x9e3779b1) ^ Math.imul(val, 0x85ebca6b) ^ Math.imul(ret, 0xc2b2ae35) ^ Math.imul(op * 256 + context, 0x27d4eb2f)
    hash ^= hash >>> 15
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = table[slot] - 1
      if (known < 0) return this.add(op, val, ret, context, stack, tables, hash)
      if (this.stack[known] === stack && this.val[known] === val && this.ret[known] === ret && this.op[known] === op && this.context[known] === context)
        return known
    }
  }

  private add(op: number, val: number, ret: number, context: number, stack: number, tables: TraceTables, hash: number): number {
    const id = this.size++
    if (this.size > this.op.length) this.grow()
    this.op[id] = op
    this.val[id] = val
    this.ret[id] = ret
    this.context[id] = context
    this.stack[id] = stack
    this.hashes[id] = hash
    this.site[id] = stack === 0 ? 0 : tables.site(stack)
    this.meaning(id, tables.siteFrames(this.site[id]))
    if (this.size * 2 > this.table.length) this.rehash()
    else this.put(id)
    return id
  }

  /** What an add-unless of this letter excepts: 0, but for one function of old kernels; NaN where that is not known. */
  unless(letter: number): number {
    return this.exceptsOne[letter] !== 0 ? this.excepted : 0
  }

  private hashes = new Int32Array(256)
  private exceptsOne = new Uint8Array(256)

  private put(id: number): void {
    const mask = this.table.length - 1
    let slot = this.hashes[id] & mask
    while (this.table[slot] !== 0) slot = (slot + 1) & mask
    this.table[slot] = id + 1
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 4)
    for (let id = 0; id < this.size; id++) this.put(id)
  }

  private grow(): void {
    const need = this.op.length * 2
    for (const name of ['op', 'val', 'ret', 'context', 'stack', 'site', 'demand', 'need', 'fixed', 'result', 'delta', 'hashes', 'exceptsOne'] as const)
      (this[name] as Uint8Array) = roomFor(this[name] as Uint8Array, need)
  }

  private meaning(id: number, frames: readonly string[]): void {
    const op = this.op[id]
    const val = this.val[id]
    const ret = this.ret[id]
    this.delta[id] = deltaOf(op, val, ret) ?? 0
    const becomes = (result: number): void => {
      this.fixed[id] = 1
      this.result[id] = result
    }
    const demand = (kind: number, need: number): void => {
      this.demand[id] = kind
      this.need[id] = need
    }
    switch (op) {
      case Op.set:
        becomes(val)
        if (frames.slice(0, 4).some((name) => BIRTH.test(name))) demand(Demand.birth, 0)
        break
      case Op.unfreeze:
        becomes(val)
        demand(Demand.exactly, 0)
        break
      case Op.modAndReturn:
        becomes(ret)
        demand(Demand.exactly, ret - val)
        break
      case Op.modAndTest:
        if (ret !== 0) becomes(0)
        demand(ret !== 0 ? Demand.exactly : Demand.other, -val)
        break
      case Op.freeze:
        if (ret !== 0) becomes(0)
        demand(ret !== 0 ? Demand.exactly : Demand.other, val)
        break
      case Op.modUnless: {
        // An add-unless that failed proves nothing where the page may be a tail that only looks like a head (6.12: page_is_fake_head).
        if (frames.slice(0, 3).includes(UNLESS_ONE)) this.exceptsOne[id] = 1
        const unless = this.unless(id)
        if (ret !== 0 && !Number.isNaN(unless)) demand(Demand.other, unless)
        break
      }
    }
  }
}
