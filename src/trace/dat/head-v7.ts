/** A trace.dat of version 7: sections, found by a chain of options. Source: trace-cmd's trace-cmd.dat.v7(5), and what 3.1.6 writes where it is vague. */
import { type ByteFile, Cut, type Inflate, TraceError } from '../byte-file.ts'
import { Cursor } from './cursor.ts'
import type { Compression, CpuData, DatBuffer } from './dat-head.ts'
import { type HeadParts, LARGEST, OPTION, type Rest } from './head-parts.ts'
import { unpack } from './unpack.ts'

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

export function readVersion7(file: ByteFile, c: Cursor, builder: HeadParts, inflate: Inflate): Rest {
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
function bufferWithoutIndex(file: ByteFile, after: number, little: boolean, builder: HeadParts): DatBuffer | undefined {
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
