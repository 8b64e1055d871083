/** What a unit has given so far, while it is parsed. */
import { copyRows, type EventBatch, newBatch, packBatch } from '../page-event.ts'
import type { RawEvent, UnitJob, UnitLoss, UnitResult } from './unit.ts'

/** Contexts that nest on a CPU. */
const LEVELS = 4

export class UnitState {
  readonly cpu: number
  batch: EventBatch
  readonly pending = new Int32Array(LEVELS).fill(-1)
  /** Per level, whether an event was seen: before the first, a stack is that of the unit before. */
  readonly opened = new Uint8Array(LEVELS)
  readonly orphans: [number, number, number][] = []
  private readonly raw: RawEvent[] = []
  private readonly losses: UnitLoss[] = []
  private readonly number: number
  private waiting: { events: number | undefined; damage: boolean; after: number } | undefined
  private damage: string | undefined
  records = 0
  events = 0
  lastPage = { used: 0, room: 0 }
  first = Number.NaN
  last = Number.NaN

  readonly dropping: boolean
  private readonly dropped: readonly number[]
  private lastZone = -1
  private lastDropped = false

  constructor(job: UnitJob, batch: EventBatch) {
    this.dropped = job.drop
    this.dropping = job.drop.length > 0
    this.number = job.number
    this.cpu = job.cpu
    this.batch = batch
  }

  grow(): void {
    const bigger = newBatch(this.batch.capacity * 2)
    copyRows(this.batch, 0, this.batch.length, bigger, 0)
    bigger.length = this.batch.length
    this.batch = bigger
  }

  drops(zone: number): boolean {
    if (zone !== this.lastZone) {
      this.lastZone = zone
      this.lastDropped = this.dropped.includes(zone)
    }
    return this.lastDropped
  }

  tick(time: number): void {
    if (Number.isNaN(this.first)) this.first = time
    this.last = time
    if (this.waiting) {
      this.losses.push({ row: this.batch.length, events: this.waiting.events, after: this.waiting.after, before: time, damage: this.waiting.damage })
      this.waiting = undefined
    }
  }

  missed(events: number | undefined): void {
    this.waiting = { events, damage: this.waiting?.damage ?? false, after: this.last }
    this.pending.fill(-1)
    this.opened.fill(1)
  }

  damaged(why: string): void {
    this.damage ??= why
    this.waiting = { events: undefined, damage: true, after: this.last }
    this.pending.fill(-1)
    this.opened.fill(1)
  }

  other(id: number, time: number, pid: number, data: Uint8Array): void {
    this.raw.push({ id, time, cpu: this.cpu, pid, data: data.slice() })
  }

  result(stacks: UnitResult['stacks']): UnitResult {
    if (this.waiting) {
      const { events, damage, after } = this.waiting
      this.losses.push({ row: this.batch.length, events, after, before: Number.POSITIVE_INFINITY, damage })
    }
    return {
      number: this.number,
      cpu: this.cpu,
      batch: packBatch(this.batch),
      events: this.events,
      records: this.records,
      first: this.first,
      last: this.last,
      raw: this.raw,
      losses: this.losses,
      stacks,
      orphans: this.orphans,
      pending: [...this.pending],
      lastPage: this.lastPage,
      damage: this.damage,
    }
  }
}
