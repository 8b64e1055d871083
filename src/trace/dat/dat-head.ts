/** What a trace.dat says of itself and of where its events lie: what the readers of its head make, and those of its events take. */
import type { EventFormat, PageHeader } from './format.ts'

export type Compression = 'none' | 'zlib' | 'zstd'

/** One CPU's data in a buffer: `size` bytes at `offset`. */
export interface CpuData {
  readonly cpu: number
  readonly offset: number
  /** Infinity where only the end of the file tells. */
  readonly size: number
}

export interface DatBuffer {
  /** '' is the top instance. */
  readonly name: string
  readonly clock: string | undefined
  readonly pageSize: number
  readonly cpus: readonly CpuData[]
  /** Chunks, each compressed by itself (version 7). */
  readonly compressed: boolean
}

/** What the recorder noted of a CPU when it stopped. */
export interface CpuStat {
  /** Name of its buffer. */
  readonly buffer: string
  readonly cpu: number
  /** Records that the kernel counted, those that were read and those still in the buffer; undefined if absent. Overwritten ones are not among them. */
  readonly recorded: number | undefined
  /** Events overwritten before they were read: the oldest. */
  readonly overrun: number
  /** Events that found the buffer full. */
  readonly dropped: number
  /** Nanoseconds of the trace's clock; undefined if absent. */
  readonly now: number | undefined
}

export interface DatHead {
  readonly version: 6 | 7
  readonly little: boolean
  readonly compression: Compression
  readonly header: PageHeader
  readonly events: readonly EventFormat[]
  /** Text of /proc/kallsyms. */
  readonly kallsyms: Uint8Array
  readonly comms: ReadonlyMap<number, string>
  readonly uname: string | undefined
  readonly stats: readonly CpuStat[]
  /** Nanoseconds to add to each time stamp, after `tsc`. */
  readonly offset: number
  readonly tsc: { readonly mult: number; readonly shift: number; readonly offset: number } | undefined
  readonly buffers: readonly DatBuffer[]
  /** Why the head is not whole, as a clause after "ends early"; the events may still read. */
  readonly damage: string | undefined
}
