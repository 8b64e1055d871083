/** From a trace.dat's head to what a unit's parser must know: where fields lie, which events are of interest. */
import { TraceError } from '../byte-file.ts'
import { OP_NAMES } from '../page-event.ts'
import type { DatBuffer, DatHead } from './dat-head.ts'
import type { EventFormat, Field } from './format.ts'
import type { UnitEvent, UnitLayout } from './unit.ts'

/** The layout of one buffer's pages. Throws `TraceError` if the file's own description makes no sense. */
export function unitLayout(name: string, head: DatHead, buffer: DatBuffer): UnitLayout {
  const events = head.events.flatMap((format) => unitEvent(name, format, head.header.commitSize as 4 | 8))
  const any = head.events.find((event) => event.system === 'page_ref')
  if (!any) throw new TraceError(`${name} holds no page_ref events`)
  const type = common(name, any, 'common_type', 2)
  const flags = common(name, any, 'common_flags', 1)
  const pid = common(name, any, 'common_pid', 4)
  return {
    little: head.little,
    pageSize: buffer.pageSize,
    compression: buffer.compressed ? head.compression : 'none',
    timestamp: head.header.timestamp,
    commit: head.header.commit,
    commitSize: head.header.commitSize,
    data: head.header.data,
    typeAt: type,
    flagsAt: flags,
    pidAt: pid,
    events,
    long: head.header.commitSize as 4 | 8,
    tsc: head.tsc,
    offset: head.offset,
  }
}

/** Offset of a field every event has; all of them lie in the first eight bytes, which every record is tested to have. */
function common(name: string, format: EventFormat, field: string, size: number): number {
  const found = format.fields.get(field)
  if (!found || found.size !== size || found.offset + size > 8) throw new TraceError(`${name}: the format of ${format.name} has no usable ${field}`)
  return found.offset
}

function unitEvent(name: string, format: EventFormat, long: 4 | 8): UnitEvent[] {
  if (format.id < 0 || format.id > 65535) return []
  if (format.system === 'page_ref') {
    const op = (OP_NAMES as readonly string[]).indexOf(format.name)
    if (op < 0) return []
    const field = (wanted: string, size: number): Field => {
      const found = format.fields.get(wanted)
      if (!found || found.size !== size || found.offset > 4096) throw new TraceError(`${name}: the format of ${format.name} has no usable field ${wanted}`)
      return found
    }
    const ret = format.fields.get('ret')
    if (ret !== undefined && ret.size !== 4) throw new TraceError(`${name}: the format of ${format.name} has no usable field ret`)
    const length = Math.max(...[...format.fields.values()].map((one) => one.offset + one.size))
    return [
      {
        kind: 'page_ref',
        id: format.id,
        op,
        pfn: field('pfn', long).offset,
        flags: field('flags', long).offset,
        count: field('count', 4).offset,
        mapcount: field('mapcount', 4).offset,
        mapping: field('mapping', long).offset,
        mt: field('mt', 4).offset,
        val: field('val', 4).offset,
        ret: ret?.offset ?? -1,
        length,
      },
    ]
  }
  if (format.system === 'ftrace' && format.name === 'kernel_stack') {
    const size = format.fields.get('size')
    const caller = format.fields.get('caller')
    return size && caller && size.offset < 64 && caller.offset < 64 ? [{ kind: 'kernel_stack', id: format.id, size: size.offset, caller: caller.offset }] : []
  }
  return isRangeEvent(format) ? [{ kind: 'other', id: format.id }] : []
}

/** A probe on memremap_pages or memunmap_pages, whatever its name: told by what it reports. */
export function isRangeEvent(format: EventFormat): boolean {
  if (format.system === 'page_ref' || format.system === 'ftrace') return false
  return format.fields.has('pgmap') || /mem(re|un)map_pages/.test(format.name)
}
