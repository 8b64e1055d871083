/**
 * Everything of a trace.dat but the events: versions 6 and 7.
 * Source: trace-cmd's trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5), and what 3.1.6 writes where they are vague.
 */
import { type ByteFile, Cut, type Inflate, TraceError } from '../byte-file.ts'
import { Cursor, latin1 } from './cursor.ts'
import type { DatHead } from './dat-head.ts'
import { HeadParts } from './head-parts.ts'
import { readVersion6 } from './head-v6.ts'
import { readVersion7 } from './head-v7.ts'

const MAGIC = [0x17, 0x08, 0x44]
/** Whether bytes begin as a trace.dat does. */
export function isDat(start: Uint8Array): boolean {
  return MAGIC.every((byte, i) => start[i] === byte) && latin1(start.subarray(3, 10)) === 'tracing'
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
    const builder = new HeadParts()
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
