/** A trace.dat of version 6: one sequential stream. Source: trace-cmd's trace-cmd.dat.v6(5). */
import { type ByteFile, Cut, TraceError } from '../byte-file.ts'
import { Cursor } from './cursor.ts'
import type { CpuData, DatBuffer } from './dat-head.ts'
import { type HeadParts, LARGEST, OPTION, type Rest } from './head-parts.ts'

export function readVersion6(file: ByteFile, start: Cursor, pageSize: number, builder: HeadParts): Rest {
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
  builder: HeadParts,
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
