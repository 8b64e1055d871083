/** Writes trace.dat files: versions 6 and 7, of any endianness, for tests and for the excerpts in `test/traces`. */
import { deflateSync } from 'node:zlib'

/** Bytes one after the other. */
export class Bytes {
  private readonly parts: Uint8Array[] = []
  readonly little: boolean
  length = 0

  constructor(little = true) {
    this.little = little
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes)
    this.length += bytes.length
    return this
  }

  private number(size: number, write: (view: DataView) => void): this {
    const bytes = new Uint8Array(size)
    write(new DataView(bytes.buffer))
    return this.raw(bytes)
  }

  u8(value: number): this {
    return this.number(1, (view) => view.setUint8(0, value))
  }

  u16(value: number): this {
    return this.number(2, (view) => view.setUint16(0, value, this.little))
  }

  u32(value: number): this {
    return this.number(4, (view) => view.setUint32(0, value, this.little))
  }

  i32(value: number): this {
    return this.number(4, (view) => view.setInt32(0, value, this.little))
  }

  u64(value: number | bigint): this {
    return this.number(8, (view) => view.setBigUint64(0, BigInt(value), this.little))
  }

  text(text: string): this {
    return this.raw(new TextEncoder().encode(text))
  }

  cstr(text: string): this {
    return this.text(`${text}\0`)
  }

  /** Pads with zeros up to a multiple. */
  align(to: number): this {
    return this.raw(new Uint8Array((to - (this.length % to)) % to))
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }
}

export interface DatParts {
  readonly headerPage: string
  readonly headerEvent: string
  readonly ftrace: readonly string[]
  readonly systems: readonly { readonly name: string; readonly events: readonly string[] }[]
  readonly kallsyms: string
  readonly cmdlines: string
  /** Options other than BUFFER and the pointers: id and data. */
  readonly options: readonly { readonly id: number; readonly data: Uint8Array }[]
}

export interface DatData {
  readonly name: string
  readonly clock: string
  readonly pageSize: number
  /** Pages, or, for zstd, chunks that are compressed already. */
  readonly cpus: readonly {
    readonly cpu: number
    readonly pages: Uint8Array
    readonly chunks?: readonly { readonly packed: Uint8Array; readonly size: number }[]
  }[]
}

function headers(parts: DatParts, little: boolean): Bytes {
  const bytes = new Bytes(little)
  bytes.text('header_page\0').u64(parts.headerPage.length).text(parts.headerPage)
  return bytes.text('header_event\0').u64(parts.headerEvent.length).text(parts.headerEvent)
}

function ftrace(parts: DatParts, little: boolean): Bytes {
  const bytes = new Bytes(little).u32(parts.ftrace.length)
  for (const text of parts.ftrace) bytes.u64(text.length).text(text)
  return bytes
}

function formats(parts: DatParts, little: boolean): Bytes {
  const bytes = new Bytes(little).u32(parts.systems.length)
  for (const { name, events } of parts.systems) {
    bytes.cstr(name).u32(events.length)
    for (const text of events) bytes.u64(text.length).text(text)
  }
  return bytes
}

/** Version 6: one stream, pages not compressed. The first buffer is the top one. */
export function writeDat6(parts: DatParts, data: readonly DatData[], little = true): Uint8Array {
  const [top, ...instances] = data
  const cpus = Math.max(1, ...data.flatMap((buffer) => buffer.cpus.map(({ cpu }) => cpu + 1)))
  const head = new Bytes(little)
  head
    .u8(0x17)
    .u8(0x08)
    .u8(0x44)
    .text('tracing')
    .cstr('6')
    .u8(little ? 0 : 1)
    .u8(8)
    .u32(top.pageSize)
  head.raw(headers(parts, little).bytes()).raw(ftrace(parts, little).bytes()).raw(formats(parts, little).bytes())
  head.u32(parts.kallsyms.length).text(parts.kallsyms).u32(0).u64(parts.cmdlines.length).text(parts.cmdlines).u32(cpus)
  // Offsets are known only when the sizes of all tables are: they are laid out twice.
  const layOut = (at: { table: readonly number[]; data: ReadonlyMap<string, number> }): { bytes: Uint8Array; table: number[]; data: Map<string, number> } => {
    const bytes = new Bytes(little).raw(head.bytes())
    const found = { table: [] as number[], data: new Map<string, number>() }
    bytes.text('options  \0')
    for (const { id, data: option } of parts.options) bytes.u16(id).u32(option.length).raw(option)
    instances.forEach((instance, i) => {
      const option = new Bytes(little)
        .u64(at.table[i] ?? 0)
        .cstr(instance.name)
        .bytes()
      bytes.u16(3).u32(option.length).raw(option)
    })
    bytes.u16(0)
    const table = (buffer: DatData): void => {
      bytes.text('flyrecord\0')
      for (let cpu = 0; cpu < cpus; cpu++) {
        const own = buffer.cpus.find((one) => one.cpu === cpu)
        bytes.u64(own ? (at.data.get(`${buffer.name}/${cpu}`) ?? 0) : 0).u64(own?.pages.length ?? 0)
      }
    }
    table(top)
    for (const instance of instances) {
      found.table.push(bytes.length)
      table(instance)
    }
    for (const buffer of data) {
      for (const { cpu, pages } of buffer.cpus) {
        bytes.align(buffer.pageSize)
        found.data.set(`${buffer.name}/${cpu}`, bytes.length)
        bytes.raw(pages)
      }
    }
    return { bytes: bytes.bytes(), ...found }
  }
  return layOut(layOut({ table: [], data: new Map() })).bytes
}

/** Version 7. `compression`: of the data; `zstd` takes chunks that are compressed already. */
export function writeDat7(parts: DatParts, data: readonly DatData[], compression: 'none' | 'zlib' | 'zstd', little = true): Uint8Array {
  const bytes = new Bytes(little)
  bytes
    .u8(0x17)
    .u8(0x08)
    .u8(0x44)
    .text('tracing')
    .cstr('7')
    .u8(little ? 0 : 1)
    .u8(8)
    .u32(data[0].pageSize)
  bytes.cstr(compression).cstr(compression === 'none' ? '' : '1')
  const optionsAt = bytes.length
  const pointers: { id: number; offset: number }[] = []
  const body = new Bytes(little)
  const base = optionsAt + 8
  const section = (id: number, content: Uint8Array): number => {
    const offset = base + body.length
    body.u16(id).u16(0).u32(0).u64(content.length).raw(content)
    return offset
  }
  const kallsyms = new Bytes(little).u32(parts.kallsyms.length).text(parts.kallsyms).bytes()
  const cmdlines = new Bytes(little).u64(parts.cmdlines.length).text(parts.cmdlines).bytes()
  for (const [id, content] of [
    [16, headers(parts, little).bytes()],
    [17, ftrace(parts, little).bytes()],
    [18, formats(parts, little).bytes()],
    [19, kallsyms],
    [21, cmdlines],
  ] as const)
    pointers.push({ id, offset: section(id, content) })
  const option = (all: Bytes, id: number, content: Uint8Array): Bytes => all.u16(id).u32(content.length).raw(content)
  const first = new Bytes(little)
  for (const { id, offset } of pointers) option(first, id, new Bytes(little).u64(offset).bytes())
  for (const { id, data: content } of parts.options) option(first, id, content)
  // Like trace-cmd: the index of the data is a second options section, at the end.
  const firstSize = first.length + 14
  const firstAt = base + body.length
  const dataAt = firstAt + 16 + firstSize
  const rest = new Bytes(little)
  const buffers = data.map((buffer) => {
    const offset = dataAt + rest.length
    const sectionHead = rest.length
    rest
      .u16(3)
      .u16(compression === 'none' ? 0 : 1)
      .u32(0)
      .u64(0)
    const cpus = buffer.cpus.map(({ cpu, pages, chunks }) => {
      rest.raw(new Uint8Array((buffer.pageSize - ((dataAt + rest.length) % buffer.pageSize)) % buffer.pageSize))
      const at = dataAt + rest.length
      if (compression === 'none') {
        rest.raw(pages)
        return { cpu, offset: at, size: pages.length }
      }
      const packed = chunks ?? packedChunks(pages, buffer.pageSize)
      rest.u32(packed.length)
      for (const chunk of packed) rest.u32(chunk.packed.length).u32(chunk.size).raw(chunk.packed)
      // The size leaves out the four bytes of the number of chunks.
      return { cpu, offset: at, size: dataAt + rest.length - at - 4 }
    })
    return { buffer, offset, sectionHead, size: rest.length - sectionHead - 16, cpus }
  })
  const secondAt = dataAt + rest.length
  option(first, 0, new Bytes(little).u64(secondAt).bytes())
  const second = new Bytes(little)
  for (const { buffer, offset, cpus } of buffers) {
    const content = new Bytes(little).u64(offset).cstr(buffer.name).cstr(buffer.clock).u32(buffer.pageSize).u32(cpus.length)
    for (const { cpu, offset: at, size } of cpus) content.u32(cpu).u64(at).u64(size)
    option(second, 3, content.bytes())
  }
  option(second, 0, new Bytes(little).u64(0).bytes())
  const data7 = rest.bytes()
  const view = new DataView(data7.buffer)
  for (const { sectionHead, size } of buffers) view.setBigUint64(sectionHead + 8, BigInt(size), little)
  bytes.u64(firstAt).raw(body.bytes())
  bytes.u16(0).u16(0).u32(0).u64(first.length).raw(first.bytes()).raw(data7)
  bytes.u16(0).u16(0).u32(0).u64(second.length).raw(second.bytes())
  return bytes.bytes()
}

function packedChunks(pages: Uint8Array, pageSize: number): { packed: Uint8Array; size: number }[] {
  const chunks: { packed: Uint8Array; size: number }[] = []
  for (let at = 0; at < pages.length; at += 10 * pageSize) {
    const piece = pages.subarray(at, at + 10 * pageSize)
    chunks.push({ packed: deflateSync(piece), size: piece.length })
  }
  return chunks
}
