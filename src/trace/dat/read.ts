/** A pass over a trace.dat: head, units, merge, and what the listener hears. */
import { type ByteFile, type Inflate, TraceError } from '../byte-file.ts'
import { guessReleaseOf } from '../kernel-guess.ts'
import { type EventBatch, unpackBatch } from '../page-event.ts'
import type { AbsentRecords, RangeEvent, TraceEnd, TraceHead, TraceListener, TraceSummary } from '../source.ts'
import type { Symbols } from '../symbols.ts'
import { AddressTables } from '../tables.ts'
import type { CpuStat, DatBuffer, DatHead } from './dat-head.ts'
import { readHead } from './head.ts'
import { JobCutter } from './jobs.ts'
import { unitLayout } from './layout.ts'
import { merge } from './merge.ts'
import { PageParser } from './page-parser.ts'
import { rangeEvent } from './range-event.ts'
import { CpuStream, type StreamHost } from './stream.ts'
import type { ReadUnit, UnitLayout, UnitRunner } from './unit.ts'

/** A trace.dat that is open: what its head says, and how to read its events. */
export interface DatTrace {
  readonly file: ByteFile
  readonly head: DatHead
  readonly inflate: Inflate
}

/** Bytes of the file in a unit, packed or not, for one CPU; less for many CPUs, so that what is under way is bounded. */
const PACKED_UNIT = 192 * 1024
const PLAIN_UNIT = 1024 * 1024
/** A page with less room than this is full: the next record went to another. */
const FULL = 256

/** Opens a trace.dat. Throws `TraceError`. */
export function openDat(file: ByteFile, inflate: Inflate): DatTrace {
  return { file, head: readHead(file, inflate), inflate }
}

/** Works on units in this thread. */
export function ownThread(layout: UnitLayout, inflate: Inflate): UnitRunner {
  const parser = new PageParser(layout, inflate)
  return { width: 1, run: (job) => Promise.resolve().then(() => ({ parser: 0, result: parser.parse(job) })) }
}

/** Names of the buffers that hold data: '' is the top one. */
export function instancesOf(head: DatHead): string[] {
  return head.buffers.filter((buffer) => buffer.cpus.length > 0).map((buffer) => buffer.name)
}

export function traceHead(head: DatHead, buffer: DatBuffer, symbols?: Symbols): TraceHead {
  const release = /^Linux \S+ (\S+)/.exec(head.uname ?? '')?.[1] ?? guessReleaseOf(head.kallsyms) ?? (symbols && guessReleaseOf(symbols.source))
  return {
    format: head.version === 6 ? 'trace.dat v6' : 'trace.dat v7',
    uname: head.uname,
    release,
    clock: buffer.clock,
    comparable: buffer.clock === undefined ? undefined : buffer.clock !== 'local',
    instances: instancesOf(head),
    instance: buffer.name,
  }
}

/**
 * Reads one buffer. `runner` is made for the layout; `symbols` name what the file's own do not. Throws `TraceError` if the buffer is not there or no event could be read because the file
 * ends before the first.
 */
export async function readDat(
  trace: DatTrace,
  instance: string,
  makeRunner: (layout: UnitLayout) => UnitRunner,
  listener: TraceListener,
  symbols?: Symbols,
): Promise<TraceSummary> {
  const { file, head } = trace
  const buffer = head.buffers.find((one) => one.name === instance)
  if (!buffer) {
    const why = head.damage === undefined ? `has no buffer ${JSON.stringify(instance)}` : `ends early ${head.damage}: its events are not there`
    throw new TraceError(`${file.name} ${why}`)
  }
  const layout = unitLayout(file.name, head, buffer)
  const runner = makeRunner(layout)
  const tables = new AddressTables(head.kallsyms, symbols)
  for (const [pid, comm] of head.comms) tables.comms.set(pid, comm)
  const maps: number[][] = []
  const free: ArrayBuffer[] = []
  const count = Math.max(1, buffer.cpus.length)
  const host: StreamHost = {
    runner,
    ahead: Math.max(2, Math.ceil((runner.width * 2) / count)),
    adopt(parser, result) {
      maps[parser] ??= [0]
      const map = maps[parser]
      tables.adopt(result.stacks, map)
      const batch = unpackBatch(result.batch)
      renumber(batch, map)
      for (const orphan of result.orphans) (orphan as unknown as number[])[2] = map[orphan[2]]
      return { ...result, batch }
    },
    buffer: () => free.pop(),
    drop: () => listener.dropZones?.() ?? [],
    free: (one) => {
      if (free.length < 8 && one.byteLength > 0) free.push(one)
    },
  }
  const target = Math.max(4096, Math.floor((buffer.compressed ? PACKED_UNIT : PLAIN_UNIT) / Math.max(1, Math.floor(count / 4))))
  const streams = buffer.cpus.map((data) => new CpuStream(new JobCutter(file, data, buffer.pageSize, buffer.compressed, head.little, target), host))
  // The merge begins when all CPUs have begun: what comes first of each is worked on before what comes later of any.
  for (let units = 1; units <= host.ahead; units++) for (const stream of streams) stream.fill(units)
  const said = traceHead(head, buffer, symbols)
  listener.head?.(said)
  // While the first units are on their way there is time for it.
  tables.readSymbols()
  const totals = { events: 0, records: 0, lost: 0, unknown: false, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY }
  let damage: string | undefined = head.damage
  /** What the recorder noted of a CPU when it stopped; a recorder that was killed noted nothing, and wrote whole pages only. */
  const stats = new Map(head.stats.filter((stat) => stat.buffer === instance).map((stat) => [stat.cpu, stat]))
  const recordsOf = new Map<number, number>()
  const ends = new Map<number, ReadUnit>()
  const loss = (cpu: number, events: number | undefined, after: number, before: number): void => {
    if (events === undefined) totals.unknown = true
    else totals.lost += events
    listener.lost?.({ cpu, after, before, events })
  }
  const formats = new Map(head.events.map((event) => [event.id, event]))
  let ranges: RangeEvent[] = []
  const deliver = (until: number): void => {
    if (ranges.length === 0) return
    ranges.sort((a, b) => a.time - b.time)
    let i = 0
    for (; i < ranges.length && ranges[i].time <= until; i++) listener.range?.(ranges[i])
    ranges = ranges.slice(i)
  }
  const progress = (): void => {
    let done = 0
    let of = 0
    for (const stream of streams) {
      done += stream.progress.done
      of += stream.progress.of
    }
    listener.progress?.(of === 0 ? 1 : done / of, totals.events)
  }
  await merge(streams, {
    events(batch) {
      deliver(batch.time[batch.length - 1])
      listener.events(batch, tables)
    },
    lost(stream, one) {
      loss(stream.cpu, one.events, stream.after(one), one.before)
    },
    began(stream) {
      const overrun = stats.get(stream.cpu)?.overrun ?? 0
      // The oldest were overwritten: where other CPUs begin earlier, theirs are not the whole story until here.
      if (overrun > 0) loss(stream.cpu, overrun, Number.NEGATIVE_INFINITY, stream.time)
    },
    ended(stream) {
      const last = ends.get(stream.cpu)
      const dropped = stats.get(stream.cpu)?.dropped ?? 0
      if (dropped > 0) loss(stream.cpu, dropped, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
      if (head.stats.length === 0 && last && last.damage === undefined && last.lastPage.room - last.lastPage.used < FULL) {
        loss(stream.cpu, undefined, last.last, Number.POSITIVE_INFINITY)
        damage ??= `for CPU ${stream.cpu}: the recorder was killed, and what the kernel's buffer still held is not in the file`
      }
    },
    unit(unit: ReadUnit) {
      ends.set(unit.cpu, unit)
      totals.events += unit.events
      totals.records += unit.records
      recordsOf.set(unit.cpu, (recordsOf.get(unit.cpu) ?? 0) + unit.records)
      if (unit.first < totals.first) totals.first = unit.first
      if (unit.last > totals.last) totals.last = unit.last
      damage ??= unit.damage
      for (const raw of unit.raw) {
        const event = rangeEvent(raw, formats.get(raw.id), head)
        if (event) ranges.push(event)
      }
      progress()
    },
  })
  deliver(Number.POSITIVE_INFINITY)
  const absent = damage === undefined ? absentRecords(stats.values(), recordsOf) : []
  for (const { cpu, counted } of absent) {
    // Nothing of it is there: what it did to any page is not known. A page's worth at its end is another matter: every recording stops somewhere.
    if (!recordsOf.has(cpu)) loss(cpu, counted, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
  }
  const end: TraceEnd = damage === undefined ? { complete: true } : { complete: false, why: damage }
  const stops = head.stats.flatMap((stat) => (stat.now === undefined ? [] : [stat.now]))
  return {
    head: said,
    tables,
    end,
    events: totals.events,
    records: totals.records,
    lost: totals.lost,
    lossUnknown: totals.unknown,
    absent,
    firstTime: totals.first,
    lastTime: totals.last,
    stopTime: stops.length > 0 ? Math.max(...stops) : undefined,
    knownUntil: Math.min(totals.last, ...absent.map(({ cpu }) => ends.get(cpu)?.last ?? totals.last)),
  }
}

function renumber({ stack, length }: EventBatch, map: readonly number[]): void {
  for (let row = 0; row < length; row++) stack[row] = map[stack[row]]
}

/** What the kernel counted against what was read. Of a file that ends early it says nothing new. */
function absentRecords(stats: Iterable<CpuStat>, read: ReadonlyMap<number, number>): AbsentRecords[] {
  const all: AbsentRecords[] = []
  for (const { cpu, recorded } of stats) {
    const absent = (recorded ?? 0) - (read.get(cpu) ?? 0)
    if (recorded !== undefined && absent > 0) all.push({ cpu, absent, counted: recorded })
  }
  return all
}
