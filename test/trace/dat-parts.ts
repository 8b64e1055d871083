/** Takes a trace.dat of version 7 apart, so that another can be made of its parts. */
import type { Inflate } from '../../src/trace/byte-file.ts'
import { Cursor } from '../../src/trace/dat/cursor.ts'
import { unpack } from '../../src/trace/dat/unpack.ts'
import type { DatParts } from './dat-file.ts'

/** A trace.dat in its parts. */
export interface Original {
  readonly parts: DatParts
  readonly clock: string
  readonly pageSize: number
  readonly cpus: readonly { readonly cpu: number; readonly chunks: readonly { readonly packed: Uint8Array; readonly size: number }[] }[]
}

/** Takes a version 7 file apart. */
export function takeApart(bytes: Uint8Array, inflate: Inflate): Original {
  const c = new Cursor(bytes, true, 0)
  c.at = 10
  if (c.cstr() !== '7') throw new Error('recordings of version 7 only')
  c.take(6)
  const compression = { zlib: 'zlib', zstd: 'zstd' }[c.cstr()] as 'zlib' | 'zstd' | undefined
  c.cstr()
  const section = (offset: number): Cursor => {
    c.at = offset
    c.u16()
    const packed = (c.u16() & 1) === 1
    c.u32()
    const size = c.u64()
    if (!packed) return new Cursor(c.take(size), true, c.at)
    const length = c.u32()
    const whole = c.u32()
    return new Cursor(unpack(inflate, compression ?? 'none', c.take(length), whole, offset), true, 0)
  }
  const found = new Map<number, Cursor>()
  const options: { id: number; data: Uint8Array }[] = []
  let buffer: Cursor | undefined
  for (let at = c.u64(); at !== 0; ) {
    const list = section(at)
    at = 0
    while (list.left > 0) {
      const id = list.u16()
      const option = new Cursor(list.take(list.u32()), true, 0)
      if (id === 0) at = option.u64()
      else if (id >= 16 && id <= 21) found.set(id, section(option.u64()))
      else if (id === 3) buffer = option
      else options.push({ id, data: new Uint8Array(option.bytes) })
    }
  }
  const part = (id: number): Cursor => {
    const cursor = found.get(id)
    if (!cursor) throw new Error(`the file has no section ${id}`)
    return cursor
  }
  const heads = part(16)
  heads.take(12)
  const headerPage = heads.text(heads.u64())
  heads.take(13)
  const headerEvent = heads.text(heads.u64())
  const ftraceAt = part(17)
  const ftrace = Array.from({ length: ftraceAt.u32() }, () => ftraceAt.text(ftraceAt.u64())).filter((text) => /^name: (kernel|user)_stack$/m.test(text))
  const systemsAt = part(18)
  const systems = Array.from({ length: systemsAt.u32() }, () => {
    const name = systemsAt.cstr()
    return { name, events: Array.from({ length: systemsAt.u32() }, () => systemsAt.text(systemsAt.u64())) }
  }).filter(({ name }) => name === 'page_ref' || name === 'kprobes')
  const kallsyms = part(19)
  const cmdlines = part(21)
  if (!buffer) throw new Error('the file has no data')
  buffer.u64()
  buffer.cstr()
  const clock = buffer.cstr()
  const pageSize = buffer.u32()
  const cpus = Array.from({ length: buffer.u32() }, () => {
    const cpu = (buffer as Cursor).u32()
    c.at = (buffer as Cursor).u64()
    ;(buffer as Cursor).u64()
    const chunks = Array.from({ length: c.u32() }, () => {
      const packed = c.u32()
      const size = c.u32()
      return { packed: new Uint8Array(c.take(packed)), size }
    })
    return { cpu, chunks }
  })
  return {
    parts: { headerPage, headerEvent, ftrace, systems, kallsyms: kallsyms.text(kallsyms.u32()), cmdlines: cmdlines.text(cmdlines.u64()), options },
    clock,
    pageSize,
    cpus,
  }
}

/** The head of a file alone. */
export function partsAs(bytes: Uint8Array, inflate: Inflate): DatParts {
  return takeApart(bytes, inflate).parts
}
