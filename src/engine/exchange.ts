/** The memory that the workers of one search share: how they meet, what each has found, and the records they hand to one another. */
import type { Program } from '../ir/program.ts'
import { Rendezvous } from './rendezvous.ts'

/** Words of an outbox: enough work between two meetings to make the meeting cheap. */
const BOX_WORDS = 1 << 16

/** What all workers do next. */
export const GO_ON = 0
export const NEXT_LEVEL = 1
export const FINISH = 2

const [ARRIVALS, STOP, DECISION, LEVEL] = [0, 2, 3, 4]
/** Numbers that each worker keeps up to date. */
const [STATES, TRANSITIONS, BYTES, LEFT, FRESH] = [0, 1, 2, 3, 4]
const NUMBERS = 5

export interface ExchangeBuffers {
  readonly jobs: number
  readonly control: SharedArrayBuffer
  readonly numbers: SharedArrayBuffer
  readonly flags: SharedArrayBuffer
  readonly failedAt: SharedArrayBuffer
  /** `boxes[from * jobs + to]`: a count of words, then the records. */
  readonly boxes: readonly SharedArrayBuffer[]
}

/** Makes the shared memory of a search by `jobs` workers; a batch of one of them never writes more than `batchWords` of records. */
export function makeExchange(program: Program, jobs: number, batchWords: number): ExchangeBuffers {
  const checks = program.checks.length
  return {
    jobs,
    control: new SharedArrayBuffer(8 * 4),
    numbers: new SharedArrayBuffer(jobs * NUMBERS * 8),
    flags: new SharedArrayBuffer(jobs * (checks + program.properties.sometimes.length)),
    failedAt: new SharedArrayBuffer(checks * 4),
    boxes: Array.from({ length: jobs * jobs }, () => new SharedArrayBuffer((1 + Math.max(BOX_WORDS, 2 * batchWords)) * 4)),
  }
}

/** One worker's, or the main thread's, view of it. */
export class Exchange {
  readonly jobs: number
  readonly rendezvous: Rendezvous
  private readonly control: Int32Array
  private readonly numbers: Float64Array
  private readonly flags: Uint8Array
  private readonly failures: Int32Array
  private readonly boxes: readonly Int32Array[]

  constructor(buffers: ExchangeBuffers) {
    this.jobs = buffers.jobs
    this.control = new Int32Array(buffers.control)
    this.rendezvous = new Rendezvous(this.control.subarray(ARRIVALS, 2), buffers.jobs)
    this.numbers = new Float64Array(buffers.numbers)
    this.flags = new Uint8Array(buffers.flags)
    this.failures = new Int32Array(buffers.failedAt)
    this.boxes = buffers.boxes.map((box) => new Int32Array(box))
  }

  /** Tells all workers to stop at their next meeting. */
  stop(): void {
    Atomics.store(this.control, STOP, 1)
  }

  get stopped(): boolean {
    return Atomics.load(this.control, STOP) !== 0
  }

  get decision(): number {
    return this.control[DECISION]
  }

  set decision(value: number) {
    this.control[DECISION] = value
  }

  get level(): number {
    return Atomics.load(this.control, LEVEL)
  }

  set level(value: number) {
    Atomics.store(this.control, LEVEL, value)
  }

  /** Most words of records in a box. */
  get boxWords(): number {
    return this.boxes[0].length - 1
  }

  box(from: number, to: number): Int32Array {
    return this.boxes[from * this.jobs + to]
  }

  /** Publishes a worker's numbers: `left` states of the level are still to be expanded, `fresh` ones belong to the next. */
  publish(worker: number, states: number, transitions: number, bytes: number, left: number, fresh: number): void {
    this.numbers.set([states, transitions, bytes, left, fresh], worker * NUMBERS)
  }

  get states(): number {
    return this.sum(STATES)
  }

  get transitions(): number {
    return this.sum(TRANSITIONS)
  }

  get bytes(): number {
    return this.sum(BYTES)
  }

  get left(): number {
    return this.sum(LEFT)
  }

  get fresh(): number {
    return this.sum(FRESH)
  }

  publishFlags(worker: number, flags: Uint8Array): void {
    this.flags.set(flags, worker * flags.length)
  }

  /** What any worker has noted. */
  mergedFlags(): Uint8Array {
    const length = this.flags.length / this.jobs
    return Uint8Array.from({ length }, (_, i) => Number(Array.from({ length: this.jobs }, (_, w) => this.flags[w * length + i]).some((flag) => flag !== 0)))
  }

  /** By check: the first level at which it failed, or undefined. */
  get failedAt(): (number | undefined)[] {
    return [...this.failures].map((level) => (level === 0 ? undefined : level - 1))
  }

  noteFailures(level: number): void {
    const flags = this.mergedFlags()
    for (let c = 0; c < this.failures.length; c++) if (flags[c] !== 0 && this.failures[c] === 0) this.failures[c] = level + 1
  }

  private sum(which: number): number {
    let total = 0
    for (let w = 0; w < this.jobs; w++) total += this.numbers[w * NUMBERS + which]
    return total
  }
}
