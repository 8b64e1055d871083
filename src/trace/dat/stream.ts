/** One CPU's events in order: asks for its units ahead of time, numbers their stacks, joins stacks that come in the next unit. */
import type { JobCutter } from './jobs.ts'
import type { ReadUnit, UnitLoss, UnitResult, UnitRunner } from './unit.ts'

/** What a stream needs of the one who reads. */
export interface StreamHost {
  readonly runner: UnitRunner
  /** Units to have under way or waiting, per CPU. */
  readonly ahead: number
  /** Makes a unit readable: gives its stacks their numbers in the whole trace. */
  adopt(parser: number, result: UnitResult): ReadUnit
  /** A buffer that is free again. */
  buffer(): ArrayBuffer | undefined
  free(buffer: ArrayBuffer): void
  /** Zones whose events are of no interest, as far as is known now. */
  drop(): readonly number[]
}

/** The front of one CPU's events. `ready` must be awaited before the rows are looked at. */
export class CpuStream {
  readonly cpu: number
  private readonly cutter: JobCutter
  private readonly host: StreamHost
  private readonly queue: Promise<ReadUnit>[] = []
  /** The unit that is read; the one after it has arrived, so that its last stack is joined. */
  unit: ReadUnit | undefined
  private following: ReadUnit | undefined
  row = 0
  /** Index of the next loss and raw event of the unit. */
  loss = 0
  private lastTime = Number.NaN
  ended = false

  constructor(cutter: JobCutter, host: StreamHost) {
    this.cutter = cutter
    this.cpu = cutter.cpu
    this.host = host
  }

  get progress(): { readonly done: number; readonly of: number } {
    return this.cutter.progress
  }

  /** Has up to `units` under way; never more than the host wants. */
  fill(units = this.host.ahead): void {
    while (this.queue.length < Math.min(units, this.host.ahead)) {
      const job = this.cutter.next(this.host.buffer(), this.host.drop())
      if (!job) return
      const { host } = this
      this.queue.push(host.runner.run(job).then(({ parser, result }) => host.adopt(parser, result)))
    }
  }

  private async take(): Promise<ReadUnit | undefined> {
    this.fill()
    const next = await this.queue.shift()
    this.fill()
    return next
  }

  /** Whether rows or losses of the current unit are left. */
  get has(): boolean {
    return this.unit !== undefined && (this.row < this.unit.batch.length || this.loss < this.unit.losses.length)
  }

  /** Moves to the next unit that has something; `ended` if there is none. Gives the units left behind to `seen`. */
  async ready(seen: (unit: ReadUnit) => void): Promise<void> {
    while (!this.has && !this.ended) {
      if (this.unit) {
        if (!Number.isNaN(this.unit.last)) this.lastTime = this.unit.last
        this.host.free(this.unit.batch.buffer)
      }
      this.unit = this.following ?? (await this.take())
      this.following = undefined
      this.row = 0
      this.loss = 0
      if (!this.unit) {
        this.ended = true
        return
      }
      this.following = await this.take()
      if (this.following) join(this.unit, this.following)
      seen(this.unit)
    }
  }

  /** The time of what comes next. */
  get time(): number {
    const { unit } = this
    if (!unit) return Number.POSITIVE_INFINITY
    const { losses, batch } = unit
    if (this.loss < losses.length && losses[this.loss].row <= this.row) return this.lossTime(losses[this.loss])
    return batch.time[this.row]
  }

  /** Where a loss stands among the events of other CPUs: at the first event behind it, or at the last before it. */
  private lossTime(loss: UnitLoss): number {
    if (Number.isFinite(loss.before)) return loss.before
    const after = this.after(loss)
    return Number.isFinite(after) ? after : Number.NEGATIVE_INFINITY
  }

  after(loss: UnitLoss): number {
    if (!Number.isNaN(loss.after)) return loss.after
    return Number.isNaN(this.lastTime) ? Number.NEGATIVE_INFINITY : this.lastTime
  }
}

/** Stacks at the beginning of `next` whose events ended `unit`. */
function join(unit: ReadUnit, next: ReadUnit): void {
  for (const [level, pid, stack] of next.orphans) {
    const row = unit.pending[level]
    if (row >= 0 && unit.batch.pid[row] === pid && unit.batch.stack[row] === 0) unit.batch.stack[row] = stack
  }
}
