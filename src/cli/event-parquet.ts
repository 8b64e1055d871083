/** Writes the events of a trace as an Apache Parquet file, row group by row group. */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { EventRows } from '../trace/event-rows.ts'

type Physical = 'INT32' | 'INT64' | 'STRING'

/** In the order of the file. Times and frame numbers are 64 bits wide; what may be unknown or missing is nullable. */
const COLUMNS: readonly { readonly name: keyof EventRows; readonly type: Physical; readonly nullable?: true }[] = [
  { name: 'time', type: 'INT64' },
  { name: 'cpu', type: 'INT32' },
  { name: 'pid', type: 'INT32' },
  { name: 'comm', type: 'STRING', nullable: true },
  { name: 'pfn', type: 'INT64' },
  { name: 'op', type: 'STRING' },
  { name: 'val', type: 'INT32' },
  { name: 'ret', type: 'INT32', nullable: true },
  { name: 'before', type: 'INT32', nullable: true },
  { name: 'after', type: 'INT32', nullable: true },
  { name: 'hint', type: 'INT32' },
  { name: 'mapcount', type: 'INT32' },
  { name: 'flags', type: 'INT64' },
  { name: 'mt', type: 'INT32' },
  { name: 'context', type: 'INT32' },
  { name: 'function', type: 'STRING', nullable: true },
  { name: 'stack', type: 'STRING', nullable: true },
]

export interface EventParquet {
  add(rows: EventRows): void
  /** Writes the footer. Gives how many events there are. */
  finish(): number
}

/** `write` gets the file piece by piece. */
export function eventParquet(write: (bytes: Uint8Array) => void): EventParquet {
  const bytes = new ByteWriter()
  const flush = (): void => {
    write(bytes.getBytes())
    bytes.index = 0
  }
  const writer = new ParquetWriter({
    writer: bytes,
    createdBy: 'putpage',
    schema: [
      { name: 'event', num_children: COLUMNS.length },
      ...COLUMNS.map(({ name, type, nullable }) => ({
        name,
        type: type === 'STRING' ? ('BYTE_ARRAY' as const) : type,
        ...(type === 'STRING' ? { converted_type: 'UTF8' as const } : {}),
        repetition_type: nullable ? ('OPTIONAL' as const) : ('REQUIRED' as const),
      })),
    ],
  })
  let events = 0
  return {
    add(rows) {
      events += rows.time.length
      writer.write({ columnData: COLUMNS.map(({ name }) => ({ name, data: rows[name] as unknown[] })), rowGroupSize: rows.time.length })
      flush()
    },
    finish() {
      writer.finish()
      flush()
      return events
    },
  }
}
