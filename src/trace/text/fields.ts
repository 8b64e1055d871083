/** The arguments of a page_ref event as text. */
import { NOT_SAID, OP_NAMES, type PageEvent } from '../page-event.ts'
import type { EventLine } from './event-line.ts'

const ARGUMENTS = /^pfn=(0x[0-9a-f]+|\d+) flags=(\S*) count=(-?\d+) mapcount=(-?\d+) mapping=(\S+) mt=(-?\d+) val=(-?\d+)(?: ret=(-?\d+))?/

/** Reads an event; undefined if its arguments are not those of a page_ref event. `names`: the flags' names, by bit. */
export function textEvent(line: EventLine, names: readonly string[]): PageEvent | undefined {
  const op = OP_NAMES.indexOf(line.name as (typeof OP_NAMES)[number])
  if (op < 0) return undefined
  const match = ARGUMENTS.exec(line.rest)
  if (!match) return undefined
  const pfn = Number(match[1])
  const count = Number(match[3])
  const val = Number(match[7])
  const ret = match[8] === undefined ? 0 : Number(match[8])
  if (!Number.isSafeInteger(pfn) || !int32(count) || !int32(val) || !int32(ret)) return undefined
  return {
    op: op as PageEvent['op'],
    pfn,
    count,
    mapcount: Number(match[4]),
    mapping: mappingOf(match[5]),
    flags: flagsOf(match[2], names),
    mt: Number(match[6]) === -1 ? NOT_SAID : Number(match[6]),
    val,
    ret,
    time: line.time,
    cpu: line.cpu,
    pid: line.pid,
    context: line.context,
    stack: 0,
  }
}

function int32(value: number): boolean {
  return value === (value | 0)
}

/** `(nil)`, a number with or without 0x, or a hash, which looks like a number and is none: tracefs gives those, and they are told by nothing. */
function mappingOf(text: string): bigint {
  if (/^0x[0-9a-f]{1,16}$/.test(text)) return BigInt(text)
  return 0n
}

/**
 * `0x81004`, `uptodate|reserved`, `locked|0x81004`, `none`. trace-cmd knows no bit by its name and calls bit 0 by the first name of the list; what
 * it could not name follows as a number. Text without a number is tracefs', where every name is right.
 */
function flagsOf(text: string, names: readonly string[]): bigint {
  if (text === 'none' || text === '') return 0n
  const parts = text.split('|')
  const number = parts.find((part) => /^0x[0-9a-f]{1,16}$/.test(part))
  if (number !== undefined) return BigInt(number) | (parts.length > 1 ? 1n : 0n)
  let flags = 0n
  for (const part of parts) {
    const bit = names.indexOf(part)
    if (bit >= 0) flags |= 1n << BigInt(bit)
  }
  return flags
}
