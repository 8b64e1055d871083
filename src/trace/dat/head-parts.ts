/** The parts of a trace.dat's head that versions 6 and 7 share: formats, symbols, task names, options. */
import { Cut } from '../byte-file.ts'
import type { Cursor } from './cursor.ts'
import type { Compression, CpuStat, DatBuffer, DatHead } from './dat-head.ts'
import { type EventFormat, type PageHeader, parseFormat, parsePageHeader } from './format.ts'

/** No section or text of a head is larger; a number beyond it is damage. */
export const LARGEST = 512 * 1024 * 1024
/** Numbers of options. */
export const OPTION = {
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

/** What a version's reader gives beside the parts. */
export interface Rest {
  readonly compression: Compression
  readonly buffers: readonly DatBuffer[]
}

/** Takes in the parts one by one. */
export class HeadParts {
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
  /** Whose the next notes on CPUs are: trace-cmd names an instance before its own, and the top one not at all. */
  private statBuffer = ''

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
    this.statBuffer = /^Buffer: (.+)$/m.exec(text)?.[1].trim() ?? this.statBuffer
    const cpu = number('CPU')
    if (cpu === undefined) return
    // In seconds with six decimals where the clock counts nanoseconds; of another clock it is a bare number.
    const now = /^now ts:\s*(\d+\.\d+)/m.exec(text)?.[1]
    const [entries, read] = [number('entries'), number('read events')]
    this.stats.push({
      buffer: this.statBuffer,
      cpu,
      recorded: entries === undefined || read === undefined ? undefined : entries + read,
      overrun: number('overrun') ?? 0,
      dropped: (number('commit overrun') ?? 0) + (number('dropped events') ?? 0),
      now: now === undefined ? undefined : Number(now) * 1e9,
    })
  }
}

/** A size that is not beyond all sense. */
export function bounded(c: Cursor): number {
  const size = c.u64()
  if (size > LARGEST) throw new Cut(c.offset - 8, `the size at byte ${c.offset - 8} makes no sense: ${size}`)
  return size
}
