/** Cuts a CPU's data into units of work, reading the file piece by piece. */
import type { ByteFile } from '../byte-file.ts'
import { Cursor } from './cursor.ts'
import type { CpuData } from './dat-head.ts'
import type { UnitJob } from './unit.ts'

/** A chunk larger than this is damage: trace-cmd's hold at most ten pages of at most a few hundred kilobytes. */
const LARGEST_CHUNK = 64 * 1024 * 1024

/** The first unit of a CPU is so much smaller than later ones: those who wait for it need not wait long, and what it tells is soon known. */
const FIRST = 8

/** Gives the units of one CPU in order. */
export class JobCutter {
  readonly cpu: number
  private readonly file: ByteFile
  private readonly compressed: boolean
  private readonly little: boolean
  private readonly pageSize: number
  /** About how many bytes, packed, the next unit has; it grows up to `most`. */
  private target: number
  private readonly most: number
  private readonly start: number
  private at: number
  private readonly end: number
  /** Chunks still to come; -1 before their number was read. */
  private chunks = -1
  private readonly promised: number
  private number = 0
  private finished = false

  constructor(file: ByteFile, data: CpuData, pageSize: number, compressed: boolean, little: boolean, most: number) {
    this.file = file
    this.cpu = data.cpu
    this.compressed = compressed
    this.little = little
    this.pageSize = pageSize
    this.most = most
    this.target = Math.max(4096, Math.floor(most / FIRST))
    this.start = data.offset
    this.at = data.offset
    // The size of compressed data leaves out the four bytes of the number of chunks.
    this.promised = data.size === Number.POSITIVE_INFINITY ? data.size : data.offset + data.size + (compressed ? 4 : 0)
    this.end = Math.min(this.promised, file.size)
  }

  /** Bytes of the file this CPU's data takes up, and how many of them are given out. */
  get progress(): { readonly done: number; readonly of: number } {
    const of = Math.max(0, this.end - this.start)
    return { done: this.finished ? of : Math.min(of, this.at - this.start), of }
  }

  /** The next unit; undefined when there is none. `drop`: see `UnitJob`. */
  next(buffer: ArrayBuffer | undefined, drop: readonly number[]): UnitJob | undefined {
    if (this.finished) return undefined
    const job = this.compressed ? this.nextChunks(buffer) : this.nextPages(buffer)
    this.target = Math.min(this.most, this.target * 2)
    return job && drop.length > 0 ? { ...job, drop } : job
  }

  private job(bytes: Uint8Array, chunks: readonly number[], offset: number, buffer: ArrayBuffer | undefined, cut: string | undefined): UnitJob {
    if (cut !== undefined) this.finished = true
    return { number: this.number++, cpu: this.cpu, bytes: bytes as Uint8Array<ArrayBuffer>, chunks, offset, drop: [], buffer, cut }
  }

  private cutOff(at: number): string {
    return `at byte ${at}: the data of CPU ${this.cpu} is cut off`
  }

  private nextPages(buffer: ArrayBuffer | undefined): UnitJob | undefined {
    const offset = this.at
    const want = Math.min(this.end - offset, Math.max(1, Math.floor(this.target / this.pageSize)) * this.pageSize)
    const bytes = want > 0 ? this.file.read(offset, want) : new Uint8Array(0)
    this.at += bytes.length
    const short = bytes.length < want
    const last = short || this.at >= this.end
    if (last) this.finished = true
    const missing = last && (short || (this.promised !== Number.POSITIVE_INFINITY && this.at < this.promised))
    if (bytes.length === 0 && !missing) return undefined
    return this.job(bytes, [], offset, buffer, missing ? this.cutOff(this.at) : undefined)
  }

  private nextChunks(buffer: ArrayBuffer | undefined): UnitJob | undefined {
    if (this.chunks < 0) {
      const head = this.at + 4 <= this.end ? this.file.read(this.at, 4) : new Uint8Array(0)
      if (head.length < 4) return this.job(new Uint8Array(0), [], this.at, buffer, this.cutOff(Math.min(this.at, this.file.size)))
      this.chunks = new Cursor(head, this.little, this.at).u32()
      this.at += 4
    }
    if (this.chunks === 0) {
      this.finished = true
      return undefined
    }
    const offset = this.at
    let bytes = this.file.read(offset, Math.min(this.target, Math.max(0, this.end - offset)))
    const chunks: number[] = []
    let at = 0
    let cut: string | undefined
    while (this.chunks > 0) {
      if (at + 8 > bytes.length) {
        if (chunks.length > 0 && offset + bytes.length < this.end) break
        cut = this.cutOff(offset + bytes.length)
        break
      }
      const cursor = new Cursor(bytes, this.little, offset)
      cursor.at = at
      const packed = cursor.u32()
      const size = cursor.u32()
      if (packed === 0 || packed > LARGEST_CHUNK || size > LARGEST_CHUNK) {
        cut = `at byte ${offset + at}: the chunk of CPU ${this.cpu} makes no sense`
        break
      }
      if (at + 8 + packed > bytes.length) {
        if (chunks.length > 0 && offset + at + 8 + packed <= this.end) break
        if (offset + at + 8 + packed > this.end) {
          cut = this.cutOff(Math.min(this.end, this.file.size))
          break
        }
        // One chunk larger than the piece that was read.
        bytes = this.file.read(offset, at + 8 + packed)
        if (bytes.length < at + 8 + packed) {
          cut = this.cutOff(offset + bytes.length)
          break
        }
      }
      chunks.push(at + 8, packed, size)
      at += 8 + packed
      this.chunks--
    }
    this.at = offset + at
    if (this.chunks === 0) this.finished = true
    return this.job(bytes.subarray(0, at), chunks, offset, buffer, cut)
  }
}
