/** A pass over a text trace: the same events, stacks and losses as from a binary file. */
import { type ByteFile, TraceError } from '../byte-file.ts'
import { rangeOf } from '../dat/range-event.ts'
import { guessRelease, guessReleaseOf } from '../kernel-guess.ts'
import { newBatch, pushEvent } from '../page-event.ts'
import { flagNames } from '../page-flags.ts'
import type { Frame, TraceFormat, TraceHead, TraceListener, TraceSummary } from '../source.ts'
import type { Symbols } from '../symbols.ts'
import { TextTables } from '../tables.ts'
import { type EventLine, ftraceLine, perfLine } from './event-line.ts'
import { textEvent } from './fields.ts'
import { ftraceFrame, perfFrame, rawFrames } from './frames.ts'
import { eachLine } from './lines.ts'

const ROWS = 1 << 14
/** Room behind a full batch for events whose stack is still to come. */
const SPARE = 1 << 10
/** What is read ahead to find out what the text does not say. */
const AHEAD = 1 << 20
/** Where that is not enough, so many pieces of the rest, each so long. */
const PIECES = 16
const PIECE = 1 << 18

export type TextFormat = Exclude<TraceFormat, 'trace.dat v6' | 'trace.dat v7'>

/** What the beginning of the text tells. */
export interface TextHead {
  readonly format: TextFormat
  readonly release: string | undefined
}

/** Finds out what text this is; undefined if it is no trace. */
export function recogniseText(file: ByteFile): TextHead | undefined {
  const bytes = file.read(0, Math.min(file.size, AHEAD))
  if (bytes.includes(0)) return undefined
  const lines = new TextDecoder('utf-8').decode(bytes).split('\n')
  let ftrace = 0
  let perf = 0
  let columns = 0
  const functions = new Set<string>()
  let release: string | undefined
  for (const line of lines) {
    release ??= /^# os release : (\S+)/.exec(line)?.[1]
    const event = ftraceLine(line)
    if (event) {
      ftrace++
      if (event.name === '<stack trace>' || /^# tracer:/.test(lines[0])) columns++
      continue
    }
    if (perfLine(line)) {
      perf++
      continue
    }
    const frame = ftraceFrame(line) ?? perfFrame(line)
    if (frame) functions.add(frame.name)
  }
  if (ftrace === 0 && perf === 0) return undefined
  release ??= guessRelease(functions) ?? guessRelease(functionsIn(file))
  if (perf > ftrace) return { format: 'perf script text', release }
  return { format: columns > 0 ? 'tracefs text' : 'trace-cmd report text', release }
}

/** Functions on the way through the whole file: it may begin with a hundred thousand pages that are made, all by the same few. */
function functionsIn(file: ByteFile): Set<string> {
  const functions = new Set<string>()
  if (file.size <= AHEAD) return functions
  for (let piece = 1; piece <= PIECES; piece++) {
    const at = Math.floor(((file.size - PIECE) * piece) / PIECES)
    for (const line of new TextDecoder('utf-8').decode(file.read(at, PIECE)).split('\n')) {
      const frame = ftraceFrame(line) ?? perfFrame(line)
      if (frame) functions.add(frame.name)
    }
  }
  return functions
}

interface Pending {
  row: number
  readonly pid: number
  readonly context: number
}

/** Reads the text. Throws `TraceError` if no event is in it. */
export async function readText(file: ByteFile, said: TextHead, listener: TraceListener, symbols?: Symbols): Promise<TraceSummary> {
  const perf = said.format === 'perf script text'
  const release = said.release ?? (symbols && guessReleaseOf(symbols.source))
  const names = flagNames(release)
  const tables = new TextTables()
  const batch = newBatch(ROWS + SPARE)
  const head: TraceHead = {
    format: said.format,
    uname: undefined,
    release,
    clock: undefined,
    comparable: undefined,
    instances: [''],
    instance: '',
  }
  listener.head?.(head)
  const pending = new Map<number, Pending>()
  const firstFrame = new Map<number, string>()
  const totals = { events: 0, records: 0, lost: 0, unknown: false, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY }
  const lastOn = new Map<number, number>()
  let row = -1
  let frames: string[] = []
  let reading = false
  /** The last line has no end: every recorder writes one. */
  let cut = false
  /** An event that cannot be read: the CPU it was on. In the last line it is where the file ends, before that it is a loss. */
  let unreadable: number | undefined
  const flush = (): void => {
    if (batch.length > 0) listener.events(batch, tables)
    batch.length = 0
    pending.clear()
    row = -1
  }
  const stackEnds = (): void => {
    if (!reading) return
    reading = false
    const lines = frames
    frames = []
    if (row < 0 || lines.length === 0) return
    const id = tables.intern(lines.join('\n'), () => {
      const parsed: Frame[] = []
      for (const line of lines) {
        const frame = perf ? perfFrame(line) : ftraceFrame(line)
        if (frame) parsed.push(symbols ? symbols.named(frame) : frame)
      }
      return parsed
    })
    if (tables.stack(id).length > 0) batch.stack[row] = id
    row = -1
  }
  const raw = (text: string, at: number): void => {
    const parsed = rawFrames(text, true)
    if (!parsed || parsed.length === 0) return
    // Without symbols the tracing's own frame is known by being the same for every event of an operation.
    const op = batch.op[at]
    const own = firstFrame.get(op) ?? parsed[0].name
    firstFrame.set(op, own)
    const kept = parsed[0].name === own ? parsed.slice(1) : parsed
    batch.stack[at] = tables.intern(kept.map((frame) => frame.name).join('\n'), () => (symbols ? parsed.map((frame) => symbols.named(frame)) : kept))
  }
  const lost = (cpu: number, events: number | undefined, before: number): void => {
    flush()
    if (events === undefined) totals.unknown = true
    else totals.lost += events
    listener.lost?.({ cpu, after: lastOn.get(cpu) ?? Number.NEGATIVE_INFINITY, before, events })
  }
  const event = (line: EventLine): void => {
    totals.records++
    if (line.time < totals.first) totals.first = line.time
    if (line.time > totals.last) totals.last = line.time
    lastOn.set(line.cpu, line.time)
    if (line.name === 'kernel_stack' || line.name === '<stack trace>') {
      const open = pending.get(line.cpu)
      if (!open || open.pid !== line.pid) return
      pending.delete(line.cpu)
      if (line.rest.startsWith('size=')) raw(line.rest, open.row)
      else {
        row = open.row
        reading = true
      }
      return
    }
    if (!tables.comms.has(line.pid)) tables.comms.set(line.pid, line.comm)
    const one = textEvent(line, names)
    if (!one) {
      if (line.name.startsWith('page_ref_')) unreadable = line.cpu
      rangeLine(line, listener)
      return
    }
    if (batch.length >= ROWS && (pending.size === 0 || batch.length >= batch.capacity)) flush()
    totals.events++
    pushEvent(batch, one)
    pending.set(line.cpu, { row: batch.length - 1, pid: line.pid, context: line.context })
    if (perf) {
      row = batch.length - 1
      reading = true
    }
  }
  await eachLine(
    file,
    (line, whole) => {
      if (unreadable !== undefined) lost(unreadable, 1, totals.last)
      unreadable = undefined
      cut = !whole
      if (reading && (perf ? /^\s+[0-9a-f]/.test(line) : /^\s*=> /.test(line))) {
        frames.push(line)
        return
      }
      stackEnds()
      const parsed = perf ? perfLine(line) : ftraceLine(line)
      // A number may lack its last digits.
      if (!whole && /page_ref_\w+:/.test(line)) {
        unreadable = parsed?.cpu ?? 0
        return
      }
      if (parsed) {
        event(parsed)
        return
      }
      const gap = lossOf(line)
      if (gap) lost(gap.cpu, gap.events, totals.last)
      else if (/page_ref_\w+:/.test(line)) unreadable = 0
    },
    (done) => listener.progress?.(done, totals.events),
  )
  stackEnds()
  flush()
  if (totals.events === 0) throw new TraceError(`${file.name} is ${said.format}, but holds no page_ref event that can be read`)
  return {
    head,
    tables,
    end: unreadable === undefined && !cut ? { complete: true } : { complete: false, why: `at byte ${file.size}: the last line is cut off` },
    events: totals.events,
    records: totals.records,
    lost: totals.lost,
    lossUnknown: totals.unknown,
    absent: [],
    firstTime: totals.first,
    lastTime: totals.last,
    stopTime: undefined,
    knownUntil: totals.last,
  }
}

/** `CPU:1 [LOST 12 EVENTS]`, `CPU:0 [12 EVENTS DROPPED]`, `##### CPU 1 buffer started ####`, `PERF_RECORD_LOST lost 12`, and tracefs' count of what the buffer no longer has. */
function lossOf(line: string): { cpu: number; events: number | undefined } | undefined {
  const ftrace = /CPU:?\s*(\d+)\s*\[(?:LOST )?(\d*)\s*EVENTS(?: DROPPED)?\]/.exec(line)
  if (ftrace) return { cpu: Number(ftrace[1]), events: ftrace[2] === '' ? undefined : Number(ftrace[2]) }
  // Where a buffer was overrun tracefs says from where on it has that CPU's events: until there they are missing, though others' are there.
  const started = /^#+ CPU (\d+) buffer started #+$/.exec(line)
  if (started) return { cpu: Number(started[1]), events: undefined }
  const perf = /\[(\d+)\].*PERF_RECORD_LOST\S*\s.*?lost[ :]+(\d+)/.exec(line)
  if (perf) return { cpu: Number(perf[1]), events: Number(perf[2]) }
  const buffer = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(line)
  if (buffer && Number(buffer[2]) > Number(buffer[1])) return { cpu: 0, events: Number(buffer[2]) - Number(buffer[1]) }
  return undefined
}

function rangeLine(line: EventLine, listener: TraceListener): void {
  if (!/pgmap|memremap|memunmap/.test(line.name) && !/\bpgmap=/.test(line.rest)) return
  const value = (name: string): bigint | undefined => {
    const match = new RegExp(`\\b${name}=(0x[0-9a-f]+|\\d+)`).exec(line.rest)
    return match ? BigInt(match[1]) : undefined
  }
  const range = rangeOf(line.time, line.name, value('pgmap') ?? 0n, value('start'), value('end'), value('type'))
  if (range) listener.range?.(range)
}
