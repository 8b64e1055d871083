/** Reads a recording in the browser: it leaves the machine by no road. */
import { FirstPicture } from '../../../src/report/first-picture.ts'
import { pageLife, pageRule } from '../../../src/report/page-references.ts'
import { type Timeline, TimelineCollector, type TimelineDetails } from '../../../src/report/timeline.ts'
import { auditJson } from '../../../src/report/trace-json.ts'
import type { RoleAutomaton } from '../../../src/roles/automaton.ts'
import type { BookPages, KeptBook } from '../../../src/roles/book.ts'
import { parseBook } from '../../../src/roles/book-text.ts'
import { keptBook } from '../../../src/roles/kept-book.ts'
import { presetFor } from '../../../src/roles/preset.ts'
import { Audit, type AuditResult } from '../../../src/trace/audit.ts'
import { bookRules } from '../../../src/trace/book-rules.ts'
import type { ByteFile, Inflate } from '../../../src/trace/byte-file.ts'
import { ownThread, readDat, traceHead } from '../../../src/trace/dat/read.ts'
import type { UnitJob, UnitLayout, UnitResult, UnitRunner } from '../../../src/trace/dat/unit.ts'
import { HeldToModel } from '../../../src/trace/held-to-model.ts'
import { type OpenTrace, openTrace } from '../../../src/trace/open.ts'
import { ordinaryFrames, parseIomem, parseRange } from '../../../src/trace/ranges.ts'
import type { TraceListener, TraceSummary, TraceTables } from '../../../src/trace/source.ts'
import { readText } from '../../../src/trace/text/read.ts'
import { makeInflate } from './inflate.ts'
import type { FromWorker, ToWorker, TraceOptions, TraceReport } from './protocol.ts'
import UnitWorker from './unit-worker.ts?worker&inline'

const PRESETS: readonly string[] = ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3']
/** Smaller files are read as fast by one worker. */
const WORTH_HELP = 3 * 1024 * 1024
const TELL_EVERY = 250
/** Bytes from which on reading takes seconds, and for how long (milliseconds) the model is then waited for. */
const LARGE = 8 * 1024 * 1024
const PATIENCE = 3000
/** Without the model, with what it said of the kernel, with what it said of the trace's functions. */
const MOST_ROUNDS = 3
/** Bars of the first picture. */
const BARS = 400

const say = (message: FromWorker, transfer: Transferable[] = []): void => self.postMessage(message, { transfer })

let bookArrives: ((text: string | undefined) => void) | undefined
let known: { timeline: Timeline; details: TimelineDetails; tables: TraceTables; result: AuditResult } | undefined

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.kind) {
    case 'open':
      open(data.file, data.iomem, data.options).catch((error) => say({ kind: 'error', message: error instanceof Error ? error.message : String(error) }))
      return
    case 'book':
      bookArrives?.(data.text)
      return
    case 'life': {
      if (!known) return
      const { timeline, details, tables, result } = known
      say({ kind: 'life', number: data.number, life: pageLife(timeline, details, tables, data.page, pageRule(result, timeline.pfns[data.page])) })
    }
  }
}

/** Only workers have it, and TypeScript's list of the page's classes does not. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer
}

/** Reads a browser's file as the readers want it: in this worker at once. */
function byteFile(file: File): ByteFile {
  const reader = new FileReaderSync()
  return {
    name: file.name,
    size: file.size,
    read: (offset, length) => new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, Math.min(file.size, offset + length)))),
  }
}

async function open(file: File, iomem: string | undefined, options: TraceOptions): Promise<void> {
  const inflate = await makeInflate()
  const trace = openTrace(byteFile(file), inflate)
  const kernel = options.kernel ?? kernelOf(trace)
  const book = kernel === undefined ? Promise.resolve(undefined) : askBook(kernel, [])
  // A large file is first read without the model, if that takes its time to answer: the picture needs none.
  let pages = file.size > LARGE ? await Promise.race([book, new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE))]) : await book
  const missing = new Map<string, { name: string; type: string }>()
  for (let round = 1; ; round++) {
    missing.clear()
    await pass(trace, inflate, iomem, options, kernel, pages, missing, round >= MOST_ROUNDS)
    if (kernel === undefined || round >= MOST_ROUNDS || (pages && missing.size === 0)) return
    // What the book did not know is asked for, by the names of functions, and the trace is read again.
    pages = pages ? await askBook(kernel, [...missing.values()]) : await book
    if (!pages) return
  }
}

function kernelOf(trace: OpenTrace): string | undefined {
  const head = trace.kind === 'dat' ? traceHead(trace.dat.head, trace.dat.head.buffers[0]) : undefined
  return head?.release === undefined ? undefined : (presetFor(head.release, PRESETS)?.name ?? PRESETS[0])
}

async function askBook(kernel: string, functions: readonly { name: string; type: string }[]): Promise<BookPages | undefined> {
  const text = await new Promise<string | undefined>((resolve) => {
    bookArrives = resolve
    say({ kind: 'need', kernel, functions })
  })
  return text === undefined ? undefined : parseBook(text)
}

async function pass(
  trace: OpenTrace,
  inflate: Inflate,
  iomem: string | undefined,
  options: TraceOptions,
  kernel: string | undefined,
  pages: BookPages | undefined,
  missing: Map<string, { name: string; type: string }>,
  last: boolean,
): Promise<void> {
  const collector = new TimelineCollector()
  const picture = new FirstPicture()
  const book = pages && kernel !== undefined ? keptBook(kernel, pages, () => silentBook(kernel, missing)) : undefined
  const rules = book && bookRules(book)
  const audit = new Audit({
    ranges: [...options.ranges.map(parseRange), ...(iomem === undefined ? [] : parseIomem(iomem))],
    ...(iomem === undefined ? {} : { ordinary: ordinaryFrames(iomem) }),
    judges: [...(book ? [new HeldToModel(() => book)] : []), collector, ...(known ? [] : [picture])],
    rules: () => rules,
  })
  const density: number[] = []
  let told = performance.now()
  const listener: TraceListener = {
    ...audit.listener,
    progress: (done, events) => {
      density[Math.min(BARS - 1, Math.floor(done * BARS))] = events
      if (performance.now() - told < TELL_EVERY) return
      told = performance.now()
      say({ kind: 'progress', done, events, density, picture: picture.soFar() })
    },
  }
  const helpers = trace.kind === 'dat' && trace.file.size > WORTH_HELP ? Math.max(1, Math.min(3, navigator.hardwareConcurrency - 1)) : 0
  const workers: Worker[] = []
  let summary: TraceSummary
  try {
    summary = await (trace.kind === 'text'
      ? readText(trace.file, trace.text, listener)
      : readDat(trace.dat, trace.instances.includes('') ? '' : (trace.instances[0] ?? ''), (layout) => runner(layout, inflate, helpers, workers), listener))
  } finally {
    for (const worker of workers) worker.terminate()
  }
  if (summary.events === 0)
    throw new Error(
      summary.end.complete
        ? `${trace.file.name} is a trace, but no page_ref event was recorded in it`
        : `${trace.file.name} ends early ${summary.end.why}: no event can be read`,
    )
  const result = audit.finish(summary)
  const { timeline, details } = collector.finish()
  const tables = collector.tables ?? summary.tables
  known = { timeline, details, tables, result }
  const report = auditJson(result) as TraceReport
  // Held to the model as a whole only if nothing was asked that the book did not know.
  say({ kind: 'done', report, timeline, complete: pages !== undefined && (last || missing.size === 0) })
}

/** Stands where the model is not: it knows nothing, and notes what it was asked. */
function silentBook(kernel: string, missing: Map<string, { name: string; type: string }>): KeptBook {
  return {
    kernel,
    named: () => [],
    isReference: () => false,
    isRole: () => false,
    automaton(name, type): RoleAutomaton | undefined {
      missing.set(`${type} ${name}`, { name, type })
      return undefined
    },
    reaches: () => false,
    waiters: [],
    pages: () => undefined,
  }
}

/** Several workers unpack and parse, this one replays; with none this one does all. */
function runner(layout: UnitLayout, inflate: Inflate, helpers: number, workers: Worker[]): UnitRunner {
  if (helpers === 0) return ownThread(layout, inflate)
  const waiting: ((done: { parser: number; result: UnitResult }) => void)[][] = []
  const busy: number[] = []
  for (let i = 0; i < helpers; i++) {
    const worker = new UnitWorker()
    waiting.push([])
    busy.push(0)
    worker.onmessage = ({ data }: MessageEvent<UnitResult>) => {
      busy[i]--
      waiting[i].shift()?.({ parser: i, result: data })
    }
    worker.postMessage({ layout })
    workers.push(worker)
  }
  return {
    width: helpers * 2,
    run(job: UnitJob) {
      const least = busy.indexOf(Math.min(...busy))
      busy[least]++
      workers[least].postMessage({ job }, job.buffer ? [job.bytes.buffer, job.buffer] : [job.bytes.buffer])
      return new Promise<{ parser: number; result: UnitResult }>((done) => waiting[least].push(done))
    },
  }
}
