/**
 * Everything of a trace.dat but the events: versions 6 and 7.
 * Source: trace-cmd's trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5), and what 3.1.6 writes where they are vague.
 */
import { type ByteFile, Cut, type Inflate, TraceError } from '../byte-file.ts'
import { Cursor, latin1 } from './cursor.ts'
import { type EventFormat, type PageHeader, parseFormat, parsePageHeader } from './format.ts'

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
  readonly cpu: number
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

const MAGIC = [0x17, 0x08, 0x44]
/** No section or text of a head is larger; a number beyond it is damage. */
const LARGEST = 512 * 1024 * 1024
const OPTION = {
  done: 0,
  cpustat: 2,
  buffer: 3,
  clock: 4,
  uname: 5,
  offset: 7,
  cpucount: 8,
  tsc2nsec: 14,
  headers: 16,
  ftrace: 17,
  formats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
} as const

/** Whether bytes begin as a trace.dat does. */
export function isDat(start: Uint8Array): boolean {
  return MAGIC.every((byte, i) => start[i] === byte) && latin1(start.subarray(3, 10)) === 'tracing'
}

class Builder {
  header: PageHeader | undefined
  readonly events: EventFormat[] = []
  kallsyms: Uint8Array = new Uint8Array(0)
  readonly comms = new Map<number, string>()
  uname: string | undefined
  clock: string | undefined
  readonly stats: CpuStat[] = []
  offset = 0
  tsc: DatHead['tsc']
  damage: string | undefined

  attempt(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      this.damage ??= `at byte ${error.offset}: ${error.message}`
    }
  }

  headers(c: Cursor): void {
    if (c.text(12) !== 'header_page') throw new Cut(c.offset, `no header_page at byte ${c.offset - 12}`)
    const text = c.text(bounded(c))
    this.header = parsePageHeader(text)
    if (c.text(13) !== 'header_event') throw new Cut(c.offset, `no header_event at byte ${c.offset - 13}`)
    c.take(bounded(c))
  }

  ftrace(c: Cursor): void {
    const n = c.u32()
    for (let i = 0; i < n; i++) this.format(c.text(bounded(c)), 'ftrace')
  }

  formats(c: Cursor): void {
    const systems = c.u32()
    for (let s = 0; s < systems; s++) {
      const system = c.cstr()
      const n = c.u32()
      for (let i = 0; i < n; i++) this.format(c.text(bounded(c)), system)
    }
  }

  private format(text: string, system: string): void {
    const format = parseFormat(text, system)
    if (format) this.events.push(format)
  }

  symbols(c: Cursor): void {
    this.kallsyms = c.take(c.u32())
  }

  printk(c: Cursor): void {
    c.take(c.u32())
  }

  cmdlines(c: Cursor): void {
    for (const line of c.text(bounded(c)).split('\n')) {
      const match = /^\s*(\d+)\s(.*)$/.exec(line)
      if (match) this.comms.set(Number(match[1]), match[2])
    }
  }

  /** An option whose meaning is the same in both versions. */
  option(id: number, c: Cursor): void {
    switch (id) {
      case OPTION.cpustat:
        this.stat(c.text(c.left))
        break
      case OPTION.clock:
        this.clock = /\[([^\]]+)\]/.exec(c.text(c.left))?.[1]
        break
      case OPTION.uname:
        this.uname = c.text(c.left).trim()
        break
      case OPTION.offset: {
        const value = Number(c.text(c.left).trim())
        if (Number.isFinite(value)) this.offset = value
        break
      }
      case OPTION.tsc2nsec: {
        const mult = c.u32()
        const shift = c.u32()
        this.tsc = { mult, shift, offset: Number(c.big64()) }
        break
      }
    }
  }

  private stat(text: string): void {
    const number = (label: string): number | undefined => {
      const match = new RegExp(`^${label}:\\s*([\\d.]+)`, 'm').exec(text)
      return match ? Number(match[1]) : undefined
    }
    const cpu = number('CPU')
    if (cpu === undefined) return
    const now = number('now ts')
    this.stats.push({
      cpu,
      overrun: number('overrun') ?? 0,
      dropped: (number('commit overrun') ?? 0) + (number('dropped events') ?? 0),
      now: now === undefined ? undefined : now * 1e9,
    })
  }
}

function bounded(c: Cursor): number {
  const size = c.u64()
  if (size > LARGEST) throw new Cut(c.offset - 8, `the size at byte ${c.offset - 8} makes no sense: ${size}`)
  return size
}

/** Reads the head. Throws `TraceError` if no event could be read with what is there. */
export function readHead(file: ByteFile, inflate: Inflate): DatHead {
  const first = new Cursor(file.read(0, Math.min(file.size, 4096)), true, 0)
  try {
    first.at = 10
    const version = Number(first.cstr())
    if (version !== 6 && version !== 7) throw new TraceError(`${file.name} is a trace.dat of version ${version || 'unknown'}; versions 6 and 7 can be read`)
    const little = first.u8() === 0
    first.u8() // size of a long of the recorder, not of the kernel
    const c = new Cursor(first.bytes, little, 0)
    c.at = first.at
    const pageSize = c.u32()
    if (pageSize < 1024 || pageSize > 1 << 24) throw new Cut(c.offset - 4, `the page size at byte ${c.offset - 4} makes no sense: ${pageSize}`)
    const builder = new Builder()
    const rest = version === 6 ? readVersion6(file, c, pageSize, builder) : readVersion7(file, c, builder, inflate)
    if (builder.header === undefined)
      throw new TraceError(
        `${file.name}: ${builder.damage ? `ends early ${builder.damage}: ` : ''}the layout of its pages is not there, so no event can be read`,
      )
    if (!builder.events.some((event) => event.system === 'page_ref')) {
      throw new TraceError(
        builder.damage
          ? `${file.name}: ends early ${builder.damage}: the event formats are not there, so no event can be read`
          : `${file.name} holds no page_ref events: record with -e page_ref on a kernel built with CONFIG_DEBUG_PAGE_REF (putpage record --script writes a script)`,
      )
    }
    return {
      version,
      little,
      compression: rest.compression,
      header: builder.header,
      events: builder.events,
      kallsyms: builder.kallsyms,
      comms: builder.comms,
      uname: builder.uname,
      stats: builder.stats,
      offset: builder.offset,
      tsc: builder.tsc,
      buffers: rest.buffers.map((buffer) => ({ ...buffer, clock: buffer.clock ?? builder.clock })),
      damage: builder.damage,
    }
  } catch (error) {
    if (error instanceof Cut) throw new TraceError(`${file.name} is a trace.dat whose head cannot be read: ${error.message}`)
    throw error
  }
}

interface Rest {
  readonly compression: Compression
  readonly buffers: readonly DatBuffer[]
}

function readVersion6(file: ByteFile, start: Cursor, pageSize: number, builder: Builder): Rest {
  // The head is a few megabytes, most of it kallsyms; its length is known only by reading it.
  const c = growing(file, start)
  builder.headers(c)
  builder.ftrace(c)
  builder.formats(c)
  builder.symbols(c)
  builder.printk(c)
  builder.cmdlines(c)
  const state = { cpus: c.u32(), instances: [] as { offset: number; name: string }[] }
  const top = version6Buffer(file, c, pageSize, '', builder, state)
  const buffers = top ? [top] : []
  for (const { offset, name } of state.instances) {
    try {
      const at = new Cursor(file.read(offset, Math.min(1 << 20, Math.max(0, file.size - offset))), c.little, offset)
      const buffer = version6Buffer(file, at, pageSize, name, builder, { ...state, instances: [] })
      if (buffer) buffers.push(buffer)
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      builder.damage ??= `in the table of instance ${name}: ${error.message}`
    }
  }
  return { compression: 'none', buffers }
}

/** All of the head there can be: as much of the file as a head may fill. */
function growing(file: ByteFile, start: Cursor): Cursor {
  const c = new Cursor(file.read(0, Math.min(file.size, 64 * 1024 * 1024)), start.little, 0)
  c.at = start.at
  return c
}

function version6Buffer(
  file: ByteFile,
  c: Cursor,
  pageSize: number,
  name: string,
  builder: Builder,
  state: { cpus: number; instances: { offset: number; name: string }[] },
): DatBuffer | undefined {
  let tag = c.text(10).trim()
  if (tag === 'options') {
    for (;;) {
      const id = c.u16()
      if (id === OPTION.done) break
      const size = c.u32()
      if (size > LARGEST) throw new Cut(c.offset - 4, `the option at byte ${c.offset - 6} is larger than the file can be`)
      const option = new Cursor(c.take(size), c.little, c.offset - size)
      if (id === OPTION.cpucount) state.cpus = Math.max(state.cpus, option.u32())
      else if (id === OPTION.buffer) state.instances.push({ offset: option.u64(), name: option.cstr() })
      else builder.option(id, option)
    }
    tag = c.text(10).trim()
  }
  if (tag === 'latency') throw new TraceError(`${file.name} is a latency trace, not a recording of events`)
  if (tag !== 'flyrecord') throw new Cut(c.offset - 10, `neither options nor flyrecord at byte ${c.offset - 10}`)
  const cpus: CpuData[] = []
  for (let cpu = 0; cpu < state.cpus; cpu++) {
    const offset = c.u64()
    const size = c.u64()
    if (size > 0) cpus.push({ cpu, offset, size })
  }
  return { name, clock: undefined, pageSize, cpus, compressed: false }
}

const SECTION_HEAD = 2 + 2 + 4 + 8

interface Section {
  readonly id: number
  readonly compressed: boolean
  readonly size: number
  readonly offset: number
}

function sectionAt(file: ByteFile, offset: number, little: boolean): Section {
  if (offset + SECTION_HEAD > file.size) throw new Cut(file.size, `a section at byte ${offset} lies behind the end of the file`)
  const c = new Cursor(file.read(offset, SECTION_HEAD), little, offset)
  const id = c.u16()
  const flags = c.u16()
  c.u32()
  return { id, compressed: (flags & 1) === 1, size: c.u64(), offset }
}

function readVersion7(file: ByteFile, c: Cursor, builder: Builder, inflate: Inflate): Rest {
  const named = c.cstr()
  c.cstr()
  if (named !== 'none' && named !== 'zlib' && named !== 'zstd')
    throw new TraceError(`${file.name} is compressed with ${JSON.stringify(named)}; zlib and zstd can be read`)
  const compression: Compression = named
  const body = (section: Section): Cursor => {
    const at = section.offset + SECTION_HEAD
    if (at + section.size > file.size) throw new Cut(file.size, `the section at byte ${section.offset} is cut off`)
    if (section.size > LARGEST) throw new Cut(section.offset, `the section at byte ${section.offset} makes no sense`)
    const bytes = file.read(at, section.size)
    if (!section.compressed) return new Cursor(bytes, c.little, at)
    const head = new Cursor(bytes, c.little, at)
    const packed = head.u32()
    const size = head.u32()
    if (size > LARGEST) throw new Cut(at, `the section at byte ${section.offset} makes no sense`)
    return new Cursor(unpack(inflate, compression, head.take(packed), size, at), c.little, at)
  }
  const buffers: DatBuffer[] = []
  const seen = new Set<number>()
  const parts: readonly [number, (at: Cursor) => void][] = [
    [OPTION.headers, (at) => builder.headers(at)],
    [OPTION.ftrace, (at) => builder.ftrace(at)],
    [OPTION.formats, (at) => builder.formats(at)],
    [OPTION.kallsyms, (at) => builder.symbols(at)],
    [OPTION.cmdlines, (at) => builder.cmdlines(at)],
  ]
  let optionsAt = c.u64()
  let afterOptions = 0
  try {
    while (optionsAt !== 0 && !seen.has(optionsAt)) {
      seen.add(optionsAt)
      const section = sectionAt(file, optionsAt, c.little)
      const options = body(section)
      afterOptions = optionsAt + SECTION_HEAD + section.size
      optionsAt = 0
      while (options.left > 0) {
        const id = options.u16()
        const size = options.u32()
        const option = new Cursor(options.take(size), c.little, options.offset - size)
        if (id === OPTION.done) {
          optionsAt = option.u64()
          break
        }
        if (id === OPTION.buffer) buffers.push(bufferOption(file, option, c.little))
        else {
          const part = parts.find(([known]) => known === id)
          if (part) {
            const offset = option.u64()
            // A damaged part of the head is a loss of its own: names or symbols are missing, the events may be whole.
            builder.attempt(() => part[1](body(sectionAt(file, offset, c.little))))
          } else builder.option(id, option)
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Cut)) throw error
    builder.damage = `at byte ${error.offset}: ${error.message}`
    if (buffers.length === 0 && afterOptions > 0) {
      const found = bufferWithoutIndex(file, afterOptions, c.little, builder)
      if (found) buffers.push(found)
    }
  }
  return { compression, buffers }
}

function bufferOption(file: ByteFile, option: Cursor, little: boolean): DatBuffer {
  const at = option.u64()
  const name = option.cstr()
  const clock = option.cstr()
  const pageSize = option.u32()
  const n = option.u32()
  const cpus: CpuData[] = []
  for (let i = 0; i < n; i++) {
    const cpu = option.u32()
    const offset = option.u64()
    const size = option.u64()
    if (size > 0) cpus.push({ cpu, offset, size })
  }
  if (pageSize < 1024 || pageSize > 1 << 24) throw new Cut(option.offset, `the buffer's page size makes no sense: ${pageSize}`)
  return { name, clock, pageSize, cpus, compressed: sectionAt(file, at, little).compressed }
}

/**
 * Where the file ends before the index of its data (the index is written last): the data of the first buffer follows the options it was
 * announced with, each CPU's at the next multiple of a page. Their numbers are not told: they are counted from 0.
 */
function bufferWithoutIndex(file: ByteFile, after: number, little: boolean, builder: Builder): DatBuffer | undefined {
  const pageSize = 4096
  try {
    const section = sectionAt(file, after, little)
    if (section.id !== OPTION.buffer) return undefined
    const cpus: CpuData[] = []
    let at = Math.ceil((after + SECTION_HEAD) / pageSize) * pageSize
    while (at + 4 <= file.size) {
      cpus.push({ cpu: cpus.length, offset: at, size: Number.POSITIVE_INFINITY })
      if (!section.compressed) break
      const end = endOfChunks(file, at, little)
      if (end === undefined) break
      at = Math.ceil(end / pageSize) * pageSize
    }
    return cpus.length > 0 ? { name: '', clock: builder.clock, pageSize, cpus, compressed: section.compressed } : undefined
  } catch (error) {
    if (error instanceof Cut) return undefined
    throw error
  }
}

/** Where a CPU's chunks end; undefined if the file does first, or there are no chunks. */
function endOfChunks(file: ByteFile, start: number, little: boolean): number | undefined {
  const count = new Cursor(file.read(start, 4), little, start).u32()
  let at = start + 4
  for (let i = 0; i < count; i++) {
    const bytes = file.read(at, 8)
    if (bytes.length < 8) return undefined
    const packed = new Cursor(bytes, little, at).u32()
    if (packed === 0 || packed > LARGEST) return undefined
    at += 8 + packed
  }
  return at <= file.size ? at : undefined
}

/** Decompresses, and checks that the size is what was announced; throws `Cut`. */
export function unpack(inflate: Inflate, compression: Compression, bytes: Uint8Array, size: number, offset: number): Uint8Array {
  if (size === 0) return new Uint8Array(0)
  let out: Uint8Array
  try {
    out = compression === 'zlib' ? inflate.zlib(bytes, size) : inflate.zstd(bytes, size)
  } catch {
    throw new Cut(offset, `the ${compression} data at byte ${offset} is damaged`)
  }
  if (out.length !== size) throw new Cut(offset, `the ${compression} data at byte ${offset} is damaged`)
  return out
}
