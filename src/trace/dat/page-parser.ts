/**
 * Ring-buffer pages to columns: the hot loop of the binary reader.
 * Source: include/linux/ring_buffer.h and kernel/trace/ring_buffer.c (rb_event_length, rb_update_event), libtraceevent's kbuffer-parse.c.
 */
import { Cut, type Inflate } from '../byte-file.ts'
import { batchBytes, Context, type EventBatch, HIGH, LOW, newBatch } from '../page-event.ts'
import { zoneKey } from '../zone.ts'
import { StackReader } from './stack-reader.ts'
import type { UnitJob, UnitLayout, UnitResult } from './unit.ts'
import { UnitState } from './unit-state.ts'
import { unpack } from './unpack.ts'

/** Record types of `type_len`; 1 to 28 are lengths in words. */
const LONG = 0
const PADDING = 29
const EXTEND = 30
const STAMP = 31
const TWO32 = 4294967296
const TWO27 = 134217728
/** Bits 31 and 30 of the commit word: events were lost before this page; their number is stored behind the data. */
const MISSED = 0x80000000
const MISSED_STORED = 0x40000000
const COMMIT = 0x07ffffff
/** Bytes of pages for which a batch has room for one event at first: with stacks an event takes more, without it about half. */
const USUAL = 96

enum Kind {
  skip = 0,
  pageRef = 1,
  stack = 2,
  other = 3,
}

/** Parses units of one trace, in any order; stacks are numbered over all of them. */
export class PageParser {
  private readonly layout: UnitLayout
  private readonly inflate: Inflate
  private readonly stacks: StackReader
  private readonly kinds = new Uint8Array(65536)
  /** Index in `places` of the offsets of a page_ref event's fields, by id. */
  private readonly places = new Int32Array(65536)
  private readonly offsets: Int32Array
  private stackSizeAt = 8
  private stackCallerAt = 16

  constructor(layout: UnitLayout, inflate: Inflate) {
    this.layout = layout
    this.inflate = inflate
    this.stacks = new StackReader(layout)
    const offsets: number[] = []
    for (const event of layout.events) {
      if (event.kind === 'page_ref') {
        this.kinds[event.id] = Kind.pageRef
        this.places[event.id] = offsets.length
        offsets.push(event.op, event.pfn, event.flags, event.count, event.mapcount, event.mapping, event.mt, event.val, event.ret, event.length)
      } else if (event.kind === 'kernel_stack') {
        this.kinds[event.id] = Kind.stack
        this.stackSizeAt = event.size
        this.stackCallerAt = event.caller
      } else this.kinds[event.id] = Kind.other
    }
    this.offsets = Int32Array.from(offsets)
  }

  parse(job: UnitJob): UnitResult {
    const known = this.stacks.store.size
    const state = new UnitState(job, this.roomFor(job))
    try {
      if (job.chunks.length === 0) this.pages(job.bytes, state, (at) => job.offset + at)
      for (let i = 0; i < job.chunks.length; i += 3) {
        const at = job.chunks[i]
        const packed = job.bytes.subarray(at, at + job.chunks[i + 1])
        const bytes = unpack(this.inflate, this.layout.compression, packed, job.chunks[i + 2], job.offset + at, true)
        // Inside of a chunk there are no bytes of the file to name.
        this.pages(bytes, state, () => job.offset + at)
      }
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      state.damaged(`at byte ${error.offset}: ${error.message}`)
    }
    if (job.cut !== undefined) state.damaged(job.cut)
    return state.result(this.stacks.store.since(known))
  }

  private roomFor(job: UnitJob): EventBatch {
    let bytes = job.chunks.length === 0 ? job.bytes.length : 0
    for (let i = 0; i < job.chunks.length; i += 3) bytes += job.chunks[i + 2]
    const capacity = Math.ceil(bytes / USUAL) + 64
    const buffer = job.buffer && job.buffer.byteLength >= batchBytes(capacity) ? job.buffer : undefined
    return newBatch(capacity, buffer)
  }

  /** `place`: which byte of the file an offset is, for messages. */
  private pages(bytes: Uint8Array, state: UnitState, place: (at: number) => number): void {
    const { pageSize } = this.layout
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.stacks.use(bytes)
    for (let at = 0; at < bytes.length; at += pageSize) {
      const end = Math.min(at + pageSize, bytes.length)
      if (end - at < this.layout.data) {
        state.damaged(`at byte ${place(end)}: the page is cut off`)
        return
      }
      this.page(view, at, end, state, place)
    }
  }

  private page(view: DataView, start: number, limit: number, state: UnitState, place: (at: number) => number): void {
    const { layout } = this
    const { little } = layout
    const stampLow = view.getUint32(start + layout.timestamp + (little ? 0 : 4), little)
    const stampHigh = view.getUint32(start + layout.timestamp + (little ? 4 : 0), little)
    const commit = view.getUint32(start + layout.commit + (little || layout.commitSize === 4 ? 0 : 4), little)
    const used = commit & COMMIT
    let end = start + layout.data + used
    let short = false
    if (end > limit) {
      if (used > layout.pageSize - layout.data) {
        state.damaged(`at byte ${place(start)}: the page is damaged, it says it holds ${used} bytes`)
        return
      }
      end = limit
      short = true
    }
    if ((commit & MISSED) !== 0) {
      const stored = (commit & MISSED_STORED) !== 0 && end + layout.commitSize <= limit
      state.missed(stored ? view.getUint32(end + (little || layout.commitSize === 4 ? 0 : 4), little) : undefined)
    }
    state.lastPage = { used, room: layout.pageSize - layout.data }
    const left = this.records(view, start + layout.data, end, stampHigh * TWO32 + stampLow, state)
    // In a page that is not all there it is the missing part that makes no sense of a record.
    if (short) state.damaged(`at byte ${place(limit)}: the page is cut off`)
    else if (left >= 0) state.damaged(`at byte ${place(left)}: the record is damaged`)
  }

  /** Parses records up to `end`; gives -1, or where a record makes no sense. */
  private records(view: DataView, from: number, end: number, base: number, state: UnitState): number {
    const { little, typeAt, flagsAt, pidAt, tsc, offset } = this.layout
    const { kinds } = this
    let at = from
    let time = base
    while (at + 4 <= end) {
      const head = view.getUint32(at, little)
      const type = little ? head & 31 : head >>> 27
      let delta = little ? head >>> 5 : head & (TWO27 - 1)
      at += 4
      let length: number
      if (type === PADDING) {
        if (delta === 0) return -1
        if (at + 4 > end) return at
        const skip = view.getUint32(at, little)
        if (skip < 4 || at + skip > end) return at
        at += skip
        time += delta
        continue
      }
      if (type === EXTEND || type === STAMP) {
        if (at + 4 > end) return at
        delta += view.getUint32(at, little) * TWO27
        at += 4
        time = type === EXTEND ? time + delta : Math.floor(base / 2 ** 59) * 2 ** 59 + delta
        continue
      }
      if (type === LONG) {
        if (at + 4 > end) return at
        length = view.getUint32(at, little) - 4
        at += 4
        if (length < 0) return at
      } else length = type * 4
      time += delta
      const next = at + ((length + 3) & ~3)
      if (next > end || next < at) return at
      state.records++
      if (length >= 8) {
        const id = view.getUint16(at + typeAt, little)
        const kind = kinds[id]
        if (kind !== Kind.skip) {
          const now = (tsc ? time * (tsc.mult / 2 ** tsc.shift) + tsc.offset : time) + offset
          state.tick(now)
          const level = levelOf(view.getUint8(at + flagsAt))
          if (kind === Kind.pageRef) this.event(view, at, length, id, now, view.getUint8(at + flagsAt), view.getInt32(at + pidAt, little), level, state)
          else if (kind === Kind.stack) this.stack(view, at, length, view.getInt32(at + pidAt, little), level, state)
          else state.other(id, now, view.getInt32(at + pidAt, little), new Uint8Array(view.buffer, view.byteOffset + at, length))
        }
      }
      at = next
    }
    if (state.records > 0 && !Number.isNaN(time)) state.last = (tsc ? time * (tsc.mult / 2 ** tsc.shift) + tsc.offset : time) + offset
    return -1
  }

  private event(view: DataView, at: number, length: number, id: number, time: number, flags: number, pid: number, level: number, state: UnitState): void {
    const { offsets } = this
    const { little, long } = this.layout
    const place = this.places[id]
    const previous = state.pending[level]
    state.pending[level] = -1
    state.opened[level] = 1
    if (length < offsets[place + 9]) return
    state.events++
    const pfnAt = at + offsets[place + 1]
    const flagsAt = at + offsets[place + 2]
    const pfn =
      long === 8 ? view.getUint32(pfnAt + (little ? 0 : 4), little) + view.getUint32(pfnAt + (little ? 4 : 0), little) * TWO32 : view.getUint32(pfnAt, little)
    const flagsLow = view.getUint32(flagsAt + (little || long === 4 ? 0 : 4), little)
    const flagsHigh = long === 8 ? view.getUint32(flagsAt + (little ? 4 : 0), little) : 0
    if (state.dropping && state.drops(zoneKey(flagsHigh))) return
    if (state.batch.length === state.batch.capacity) state.grow()
    const { batch } = state
    const row = batch.length++
    batch.op[row] = offsets[place]
    batch.pfn[row] = pfn
    batch.flags32[2 * row + LOW] = flagsLow
    batch.flags32[2 * row + HIGH] = flagsHigh
    batch.count[row] = view.getInt32(at + offsets[place + 3], little)
    batch.mapcount[row] = view.getInt32(at + offsets[place + 4], little)
    const mapping = at + offsets[place + 5]
    batch.mapping32[2 * row + LOW] = view.getUint32(mapping + (little || long === 4 ? 0 : 4), little)
    batch.mapping32[2 * row + HIGH] = long === 8 ? view.getUint32(mapping + (little ? 4 : 0), little) : 0
    batch.mt[row] = view.getInt32(at + offsets[place + 6], little)
    batch.val[row] = view.getInt32(at + offsets[place + 7], little)
    const ret = offsets[place + 8]
    batch.ret[row] = ret < 0 ? 0 : view.getInt32(at + ret, little)
    batch.time[row] = time
    batch.cpu[row] = state.cpu
    batch.pid[row] = pid
    batch.context[row] = flags & (Context.hardIrq | Context.softIrq | Context.nmi)
    batch.stack[row] = 0
    state.pending[level] = row
    // trace-cmd split writes the first record of a CPU twice.
    if (previous >= 0 && previous === row - 1 && batch.time[previous] === time && sameEvent(batch, previous, row)) {
      state.pending[level] = previous
      batch.length--
    }
  }

  /** A kernel stack: it belongs to the last event of the same CPU, context and task. */
  private stack(view: DataView, at: number, length: number, pid: number, level: number, state: UnitState): void {
    const row = state.pending[level]
    const orphan = row < 0 && state.opened[level] === 0
    if (row < 0 && !orphan) return
    // The record is longer than its format says: its own `size` and the record's length bound it.
    const said = this.stackSizeAt + 4 <= length ? view.getInt32(at + this.stackSizeAt, this.layout.little) : 0
    const frames = Math.min(said, Math.floor((length - this.stackCallerAt) / this.layout.long))
    const id = this.stacks.read(view, at + this.stackCallerAt, frames)
    if (id === 0) return
    if (orphan) {
      state.opened[level] = 1
      state.orphans.push([level, pid, id])
    } else if (state.batch.pid[row] === pid) {
      state.batch.stack[row] = id
      state.pending[level] = -1
    }
  }
}

/** Whether two rows tell the same of the same page, the count they saw included: then they are one event. */
function sameEvent(batch: EventBatch, a: number, b: number): boolean {
  return (
    batch.op[a] === batch.op[b] &&
    batch.pfn[a] === batch.pfn[b] &&
    batch.count[a] === batch.count[b] &&
    batch.val[a] === batch.val[b] &&
    batch.ret[a] === batch.ret[b] &&
    batch.pid[a] === batch.pid[b]
  )
}

/** Nesting of contexts on a CPU: task, softirq, hardirq, NMI. */
export function levelOf(flags: number): number {
  if ((flags & Context.nmi) !== 0) return 3
  if ((flags & Context.hardIrq) !== 0) return 2
  return (flags & Context.softIrq) !== 0 ? 1 : 0
}
