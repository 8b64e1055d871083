/**
 * One change of one page's reference count, as the kernel's page_ref tracepoints report it, and many of them in columns.
 * This is the type between the readers (trace.dat, text) and everything that judges or exports what they read.
 *
 * Source: include/trace/events/page_ref.h and include/linux/page_ref.h of 5.10, 6.1, 6.12 and 7.3, which agree in every field.
 */

/** The seven events of the page_ref system. The numbers are those in `EventBatch.op`. */
export const Op = {
  /** The count was stored, whatever it was: now `val`, exactly. */
  set: 0,
  /** `val` was added; nothing is said of the result. */
  mod: 1,
  /** `val` was added; `ret` is 1 exactly if the result is 0. */
  modAndTest: 2,
  /** `val` was added; `ret` is the result, exactly. */
  modAndReturn: 3,
  /** `val` was added if the count was not a certain value (0, nearly always); `ret` is 1 if it was added. */
  modUnless: 4,
  /** The count was `val` and became 0 if `ret` is 1; it was another, and stayed, if 0. */
  freeze: 5,
  /** The count was 0 and is `val`, exactly. */
  unfreeze: 6,
} as const
export type OpCode = (typeof Op)[keyof typeof Op]

/** The tracepoint's name of each operation, by number. */
export const OP_NAMES = [
  'page_ref_set',
  'page_ref_mod',
  'page_ref_mod_and_test',
  'page_ref_mod_and_return',
  'page_ref_mod_unless',
  'page_ref_freeze',
  'page_ref_unfreeze',
] as const

/** What an operation reported beside the value: nothing (`set`, `mod`, `unfreeze`), or `ret`. */
export function hasResult(op: number): boolean {
  return op >= Op.modAndTest && op <= Op.freeze
}

/** Bits of `EventBatch.context`: what the CPU was doing beside running the task. As in the kernel's common_flags. */
export const Context = { hardIrq: 0x08, softIrq: 0x10, nmi: 0x40 } as const

/** `EventBatch.mt` and the like where the source does not say. */
export const NOT_SAID = -128

/** One event as an object: for reports and tests. The columns of `EventBatch` have the same names and meanings. */
export interface PageEvent {
  readonly op: OpCode
  /** Page frame number; that of the folio's head for operations on a folio. Below 2^53. */
  readonly pfn: number
  /** The count as read when the event was written: after the operation, but not in one step with it. A hint, never an anchor. */
  readonly count: number
  /** 5.10 and 6.1: mappings (0 = none). 6.12 and 7.3: the raw field (-1 = none). */
  readonly mapcount: number
  /** The raw page->mapping, low bits included; 0 where the source hashes it (tracefs text). */
  readonly mapping: bigint
  /** The raw page->flags with zone bits from binary files and `report -R`; from other text only the named flags of that kernel, zone 0. */
  readonly flags: bigint
  /** Migrate type of the pageblock; 1 for every ZONE_DEVICE page. */
  readonly mt: number
  /** The value stored, added or expected: see `Op`. */
  readonly val: number
  /** The result, where the operation reports one (`hasResult`); 0 otherwise. */
  readonly ret: number
  /** Nanoseconds of the trace's clock, offset applied. Exact to 256 ns even for a clock that counts from 1970. Text of microseconds gives those. */
  readonly time: number
  readonly cpu: number
  /** The task's thread id; 0 is a CPU's idle task. Its name: `TraceTables.comm`. */
  readonly pid: number
  /** See `Context`. 0 where the source has no such column. */
  readonly context: number
  /** Kernel stack: an id of `TraceTables.stack`; 0 if none was recorded with the event. */
  readonly stack: number
}

/**
 * Events in columns. Rows 0..length-1 are valid; the arrays may be longer. Rows are merged over the CPUs by time, and rows of one CPU are in
 * the order that CPU wrote them. With a clock that CPUs do not share (`TraceHead.comparable` false) only the latter means anything.
 * A batch is the reader's again after the consumer has returned: copy what is to stay.
 */
export interface EventBatch {
  length: number
  readonly capacity: number
  /** Holds all columns. */
  readonly buffer: ArrayBuffer
  readonly op: Uint8Array
  readonly pfn: Float64Array
  readonly count: Int32Array
  readonly mapcount: Int32Array
  readonly mapping: BigUint64Array
  /** The same memory as `mapping` in halves, in this machine's order: see `LOW`, `HIGH`. */
  readonly mapping32: Uint32Array
  readonly flags: BigUint64Array
  readonly flags32: Uint32Array
  readonly mt: Int8Array
  readonly val: Int32Array
  readonly ret: Int32Array
  readonly time: Float64Array
  readonly cpu: Uint16Array
  readonly pid: Int32Array
  readonly context: Uint8Array
  readonly stack: Uint32Array
  /** Filled by the replay (`Letters.fill`): the same number for rows that agree in `op`, `val`, `ret`, `context` and `stack`. */
  readonly letter: Int32Array
}

/** A batch as it goes from one thread to another: views are made anew there, so that all batches are of one kind to the engine. */
export interface PackedBatch {
  readonly buffer: ArrayBuffer
  readonly capacity: number
  readonly length: number
}

export function packBatch({ buffer, capacity, length }: EventBatch): PackedBatch {
  return { buffer, capacity, length }
}

export function unpackBatch({ buffer, capacity, length }: PackedBatch): EventBatch {
  const batch = newBatch(capacity, buffer)
  batch.length = length
  return batch
}

/** Where the halves of a 64-bit number are in a Uint32Array over it, on this machine: `flags32[2 * row + LOW]`. */
export const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
export const HIGH = 1 - LOW

/** Bytes a row takes, over all columns. */
const ROW_BYTES = 4 * 8 + 7 * 4 + 2 + 3

/** Bytes that a batch of `capacity` rows needs; columns are laid out one after the other, the widest first. */
export function batchBytes(capacity: number): number {
  return Math.ceil((capacity * ROW_BYTES) / 8) * 8
}

/** Makes an empty batch with room for `capacity` events, in `buffer` if one is given (of at least `batchBytes(capacity)` bytes). */
export function newBatch(capacity: number, buffer: ArrayBuffer = new ArrayBuffer(batchBytes(capacity))): EventBatch {
  let at = 0
  const take = (bytes: number): number => {
    const start = at
    at += bytes * capacity
    return start
  }
  const flags = take(8)
  const mapping = take(8)
  return {
    length: 0,
    capacity,
    buffer,
    flags: new BigUint64Array(buffer, flags, capacity),
    flags32: new Uint32Array(buffer, flags, capacity * 2),
    mapping: new BigUint64Array(buffer, mapping, capacity),
    mapping32: new Uint32Array(buffer, mapping, capacity * 2),
    pfn: new Float64Array(buffer, take(8), capacity),
    time: new Float64Array(buffer, take(8), capacity),
    count: new Int32Array(buffer, take(4), capacity),
    mapcount: new Int32Array(buffer, take(4), capacity),
    val: new Int32Array(buffer, take(4), capacity),
    ret: new Int32Array(buffer, take(4), capacity),
    pid: new Int32Array(buffer, take(4), capacity),
    stack: new Uint32Array(buffer, take(4), capacity),
    letter: new Int32Array(buffer, take(4), capacity),
    cpu: new Uint16Array(buffer, take(2), capacity),
    op: new Uint8Array(buffer, take(1), capacity),
    context: new Uint8Array(buffer, take(1), capacity),
    mt: new Int8Array(buffer, take(1), capacity),
  }
}

/** One row as an object. */
export function eventAt(batch: EventBatch, row: number): PageEvent {
  return {
    op: batch.op[row] as OpCode,
    pfn: batch.pfn[row],
    count: batch.count[row],
    mapcount: batch.mapcount[row],
    mapping: batch.mapping[row],
    flags: batch.flags[row],
    mt: batch.mt[row],
    val: batch.val[row],
    ret: batch.ret[row],
    time: batch.time[row],
    cpu: batch.cpu[row],
    pid: batch.pid[row],
    context: batch.context[row],
    stack: batch.stack[row],
  }
}

/** Copies one row. The target must have room; its `length` is the caller's to raise. */
export function copyRow(from: EventBatch, row: number, to: EventBatch, at: number): void {
  to.op[at] = from.op[row]
  to.pfn[at] = from.pfn[row]
  to.count[at] = from.count[row]
  to.mapcount[at] = from.mapcount[row]
  to.mapping32[2 * at] = from.mapping32[2 * row]
  to.mapping32[2 * at + 1] = from.mapping32[2 * row + 1]
  to.flags32[2 * at] = from.flags32[2 * row]
  to.flags32[2 * at + 1] = from.flags32[2 * row + 1]
  to.mt[at] = from.mt[row]
  to.val[at] = from.val[row]
  to.ret[at] = from.ret[row]
  to.time[at] = from.time[row]
  to.cpu[at] = from.cpu[row]
  to.pid[at] = from.pid[row]
  to.context[at] = from.context[row]
  to.stack[at] = from.stack[row]
  to.letter[at] = from.letter[row]
}

/** Copies rows from..to, column by column: quicker than one by one where there are many. */
export function copyRows(source: EventBatch, from: number, to: number, target: EventBatch, at: number): void {
  target.op.set(source.op.subarray(from, to), at)
  target.pfn.set(source.pfn.subarray(from, to), at)
  target.count.set(source.count.subarray(from, to), at)
  target.mapcount.set(source.mapcount.subarray(from, to), at)
  target.mapping32.set(source.mapping32.subarray(2 * from, 2 * to), 2 * at)
  target.flags32.set(source.flags32.subarray(2 * from, 2 * to), 2 * at)
  target.mt.set(source.mt.subarray(from, to), at)
  target.val.set(source.val.subarray(from, to), at)
  target.ret.set(source.ret.subarray(from, to), at)
  target.time.set(source.time.subarray(from, to), at)
  target.cpu.set(source.cpu.subarray(from, to), at)
  target.pid.set(source.pid.subarray(from, to), at)
  target.context.set(source.context.subarray(from, to), at)
  target.stack.set(source.stack.subarray(from, to), at)
  target.letter.set(source.letter.subarray(from, to), at)
}

/** Appends an event given as an object; the batch must have room. For text readers and tests. */
export function pushEvent(batch: EventBatch, event: PageEvent): void {
  const at = batch.length++
  batch.op[at] = event.op
  batch.pfn[at] = event.pfn
  batch.count[at] = event.count
  batch.mapcount[at] = event.mapcount
  batch.mapping[at] = event.mapping
  batch.flags[at] = event.flags
  batch.mt[at] = event.mt
  batch.val[at] = event.val
  batch.ret[at] = event.ret
  batch.time[at] = event.time
  batch.cpu[at] = event.cpu
  batch.pid[at] = event.pid
  batch.context[at] = event.context
  batch.stack[at] = event.stack
}

/** What the operation of a row did to the count: added `val`, or nothing (a refused add, a failed freeze); undefined where it stored a value. */
export function deltaOf(op: number, val: number, ret: number): number | undefined {
  switch (op) {
    case Op.mod:
    case Op.modAndTest:
    case Op.modAndReturn:
      return val
    case Op.modUnless:
      return ret === 0 ? 0 : val
    case Op.freeze:
      return ret === 0 ? 0 : -val
    default:
      return undefined
  }
}
