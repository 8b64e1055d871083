/**
 * What lives are held to the model by, from one thread to another: rows of a batch as far as they are looked at, which of them were told of which page,
 * and what their letters mean. It lies in memory that both see, in a few slots that are used again: who writes waits when all are full.
 */
import { type Column, roomFor } from './columns.ts'
import { type HeldLives, type LifeRows, typeCode, typeOfCode } from './held-lives.ts'
import type { LetterColumns, Letters } from './letters.ts'
import type { BreakReason, DeviceType } from './life.ts'
import type { SiteFrames } from './source.ts'

/** Slots: so many messages may be on their way. */
const SLOTS = 6
/** Rows a slot has room for at first: a merged batch, and what is carried over. */
const ROWS = 1 << 16
/** Of each run: the page, what it is, how many rows. */
const RUN = 3
/** No message takes so long to read: milliseconds. */
const PATIENCE = 2 * 60 * 1000

const REASONS: readonly BreakReason[] = ['lost', 'search', 'contradiction', 'reborn']

/** Columns over a slot's memory. */
interface Slot {
  readonly number: number
  readonly memory: SharedArrayBuffer
  readonly capacity: number
  readonly rows: { -readonly [K in keyof LifeRows]: LifeRows[K] }
  /** Runs and breaks, `RUN` numbers each: a page, its type's code and how many rows of `order`; or a page, -1 - the reason's index, 0. */
  readonly told: Int32Array
  readonly order: Uint32Array
}

/** One message. */
export interface LifeMessage {
  readonly slot: number
  /** The slot's memory, if it was not sent before: that takes longer than all else. */
  readonly memory: SharedArrayBuffer | undefined
  readonly capacity: number
  /** Rows that are seen, from the first. */
  readonly seen: number
  readonly told: number
  /** New letters. */
  readonly letters: LetterColumns
  /** The functions of their sites, those that were not sent before. */
  readonly sites: readonly (readonly [number, readonly string[]])[]
}

function slotOver(number: number, memory: SharedArrayBuffer, capacity: number): Slot {
  let at = 0
  const take = (bytes: number): number => {
    const start = at
    at += bytes * capacity
    return start
  }
  const rows = {
    length: 0,
    time: new Float64Array(memory, take(8), capacity),
    flags32: new Uint32Array(memory, take(8), 2 * capacity),
    letter: new Int32Array(memory, take(4), capacity),
    pid: new Int32Array(memory, take(4), capacity),
    cpu: new Uint16Array(memory, take(2), capacity),
    context: new Uint8Array(memory, take(1), capacity),
  }
  const rest = Math.ceil(at / 8) * 8
  return {
    number,
    memory,
    capacity,
    rows,
    order: new Uint32Array(memory, rest, capacity),
    told: new Int32Array(memory, rest + 4 * capacity, 2 * RUN * capacity),
  }
}

/** Writes messages. What is written is as `HeldLives` hears it. */
export class LifeLogWriter {
  private readonly post: (message: LifeMessage) => void
  private readonly read: Int32Array
  private readonly slots: Slot[] = []
  private sent = 0
  /** Slots that were made, and those whose memory was sent. */
  private made = 0
  private numbered = 0
  private slot: Slot
  private letters: Letters | undefined
  private sites: SiteFrames = { siteFrames: () => [] }
  private lettersSent = 0
  private readonly sitesSent = new Set<number>()
  /** Of the message that is written: rows that are seen, and all; runs and breaks; rows of runs. */
  private seen = 0
  private rows = 0
  private told = 0
  private ordered = 0
  /** The type that was told last, and its code. */
  private lastType: DeviceType = 'unknown'
  private lastCode = typeCode('unknown')

  /** `read`: one number in memory that both see, how many messages were read. `rows`: room of a slot at first. */
  constructor(post: (message: LifeMessage) => void, read: Int32Array, rows = ROWS) {
    this.post = post
    this.read = read
    this.slot = this.take(rows)
  }

  use(sites: SiteFrames, letters: Letters): void {
    this.sites = sites
    this.letters = letters
  }

  see(batch: LifeRows): void {
    this.flush()
    const { length } = batch
    if (length > this.slot.capacity) this.slot = this.newSlot(2 * length)
    const { rows } = this.slot
    rows.time.set(batch.time.subarray(0, length))
    rows.flags32.set(batch.flags32.subarray(0, 2 * length))
    rows.letter.set(batch.letter.subarray(0, length))
    rows.pid.set(batch.pid.subarray(0, length))
    rows.cpu.set(batch.cpu.subarray(0, length))
    rows.context.set(batch.context.subarray(0, length))
    this.seen = length
    this.rows = length
  }

  run(index: number, type: DeviceType, batch: LifeRows, order: Uint32Array, from: number, to: number): void {
    this.makeRoom(to - from)
    const own = this.slot.order
    for (let i = from; i < to; i++) {
      const row = order[i]
      // What was carried over from an earlier batch was seen then.
      own[this.ordered++] = row < this.seen ? row : this.copied(batch, row)
    }
    if (type !== this.lastType) {
      this.lastType = type
      this.lastCode = typeCode(type)
    }
    this.tell(index, this.lastCode, to - from)
  }

  broken(index: number, why: BreakReason): void {
    this.makeRoom(0)
    this.tell(index, -1 - REASONS.indexOf(why), 0)
  }

  /** Sends what there is. */
  flush(): void {
    if (this.seen === 0 && this.told === 0) return
    const { number, memory, capacity } = this.slot
    const isNew = number >= this.numbered
    if (isNew) this.numbered = number + 1
    this.post({ slot: number, memory: isNew ? memory : undefined, capacity, seen: this.seen, told: this.told, ...this.news() })
    this.slots[this.sent++ % SLOTS] = this.slot
    this.seen = 0
    this.rows = 0
    this.told = 0
    this.ordered = 0
    this.slot = this.take(capacity)
  }

  private tell(index: number, what: number, rows: number): void {
    const { told } = this.slot
    const at = RUN * this.told++
    told[at] = index
    told[at + 1] = what
    told[at + 2] = rows
  }

  private copied(batch: LifeRows, row: number): number {
    const { rows } = this.slot
    const at = this.rows++
    rows.time[at] = batch.time[row]
    rows.flags32[2 * at] = batch.flags32[2 * row]
    rows.flags32[2 * at + 1] = batch.flags32[2 * row + 1]
    rows.letter[at] = batch.letter[row]
    rows.pid[at] = batch.pid[row]
    rows.cpu[at] = batch.cpu[row]
    rows.context[at] = batch.context[row]
    return at
  }

  /** Room for one more run: what there is is sent if there is none. */
  private makeRoom(rows: number): void {
    const { capacity, told } = this.slot
    if (this.rows + rows <= capacity && this.ordered + rows <= capacity && RUN * (this.told + 1) <= told.length) return
    this.flush()
    if (rows > this.slot.capacity) this.slot = this.newSlot(2 * rows)
  }

  private newSlot(capacity: number): Slot {
    return slotOver(this.made++, new SharedArrayBuffer(capacity * (27 + 4 + 8 * RUN) + 8), capacity)
  }

  /** A slot that was read, or a new one. */
  private take(capacity: number): Slot {
    if (this.sent < SLOTS) return this.newSlot(capacity)
    for (;;) {
      const read = Atomics.load(this.read, 0)
      if (this.sent - read < SLOTS) break
      if (Atomics.wait(this.read, 0, read, PATIENCE) === 'timed-out')
        throw new Error('[putpage internal bug] the thread that holds lives to the model has died')
    }
    return this.slots[this.sent % SLOTS]
  }

  private news(): Pick<LifeMessage, 'letters' | 'sites'> {
    const { letters } = this
    const from = this.lettersSent
    const to = letters?.size ?? 0
    this.lettersSent = to
    const part = <T extends Column>(column: T | undefined): T => (column ?? new Int32Array(0)).slice(from, to) as T
    const fresh = {
      op: part(letters?.op),
      val: part(letters?.val),
      ret: part(letters?.ret),
      stack: part(letters?.stack),
      site: part(letters?.site),
    }
    const sites: [number, readonly string[]][] = []
    for (const site of fresh.site) {
      if (this.sitesSent.has(site)) continue
      this.sitesSent.add(site)
      sites.push([site, this.sites.siteFrames(site)])
    }
    return { letters: fresh, sites }
  }
}

/** Reads messages to who holds lives to the model. */
export class LifeLogReader {
  private readonly lives: HeldLives
  private readonly letters = {
    op: new Uint8Array(256),
    val: new Int32Array(256),
    ret: new Int32Array(256),
    stack: new Uint32Array(256),
    site: new Int32Array(256),
  }
  private known = 0
  private readonly slots = new Map<number, Slot>()
  private readonly frames = new Map<number, readonly string[]>()
  private readonly sites: SiteFrames = { siteFrames: (site) => this.frames.get(site) ?? [] }

  constructor(lives: HeldLives) {
    this.lives = lives
  }

  take({ slot, memory, capacity, seen, told: runs, letters, sites }: LifeMessage): void {
    for (const [site, frames] of sites) this.frames.set(site, frames)
    this.learn(letters)
    if (memory) this.slots.set(slot, slotOver(slot, memory, capacity))
    const { rows, told, order } = this.slots.get(slot) as Slot
    this.lives.use(this.sites, this.letters)
    rows.length = seen
    if (seen > 0) this.lives.see(rows)
    let from = 0
    for (let at = 0; at < RUN * runs; at += RUN) {
      const what = told[at + 1]
      if (what < 0) this.lives.broken(told[at], REASONS[-1 - what])
      else {
        const to = from + told[at + 2]
        this.lives.run(told[at], typeOfCode(what), rows, order, from, to)
        from = to
      }
    }
  }

  private learn(fresh: LetterColumns): void {
    const { letters, known } = this
    for (const name of ['op', 'val', 'ret', 'stack', 'site'] as const) {
      const column = roomFor(letters[name] as Column, known + fresh[name].length)
      column.set(fresh[name], known)
      ;(letters[name] as Column) = column
    }
    this.known += fresh.site.length
  }
}
