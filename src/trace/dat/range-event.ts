/** Probes on memremap_pages and memunmap_pages: which frames became or ceased to be device pages. */
import type { RangeEvent } from '../source.ts'
import type { DatHead } from './dat-head.ts'
import type { EventFormat, Field } from './format.ts'
import type { RawEvent } from './unit.ts'

/** Frames are of 4 KiB: the page size of the recorded kernel is not in the file; see docs/trace.md. */
const PAGE_SHIFT = 12n

/** Decodes a probe's record; undefined if it is not one of these. */
export function rangeEvent(raw: RawEvent, format: EventFormat | undefined, head: DatHead): RangeEvent | undefined {
  if (!format) return undefined
  const view = new DataView(raw.data.buffer, raw.data.byteOffset, raw.data.byteLength)
  const value = (wanted: RegExp): bigint | undefined => {
    for (const [name, field] of format.fields) if (wanted.test(name)) return fieldValue(view, field, head.little)
    return undefined
  }
  const start = value(/^(range_)?start$/)
  const end = value(/^(range_)?end$/)
  const type = value(/^type$/)
  const pgmap = value(/^pgmap$/) ?? 0n
  return rangeOf(raw.time, format.name, pgmap, start, end, type)
}

/** A range event from what a probe reported; shared with the text readers. `start` and `end` are physical addresses, inclusive. */
export function rangeOf(
  time: number,
  name: string,
  pgmap: bigint,
  start: bigint | undefined,
  end: bigint | undefined,
  type: bigint | undefined,
): RangeEvent | undefined {
  if (start !== undefined && end !== undefined && end > start) {
    return { time, kind: 'map', pgmap, start: Number(start >> PAGE_SHIFT), end: Number(end >> PAGE_SHIFT), type: type === undefined ? undefined : Number(type) }
  }
  if (start === undefined && /unmap/.test(name)) return { time, kind: 'unmap', pgmap, start: undefined, end: undefined, type: undefined }
  return undefined
}

function fieldValue(view: DataView, field: Field, little: boolean): bigint | undefined {
  if (field.offset + field.size > view.byteLength) return undefined
  switch (field.size) {
    case 1:
      return BigInt(view.getUint8(field.offset))
    case 2:
      return BigInt(view.getUint16(field.offset, little))
    case 4:
      return BigInt(view.getUint32(field.offset, little))
    case 8:
      return view.getBigUint64(field.offset, little)
    default:
      return undefined
  }
}
