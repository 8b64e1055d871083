/** The entry: a recording as bytes in, findings out. Free of Node; a browser gives a `ByteFile` over its File, and what inflates. */
import { Audit, type AuditOptions, type AuditResult } from './audit.ts'
import { type ByteFile, type Inflate, TraceError } from './byte-file.ts'
import { ownThread, readDat } from './dat/read.ts'
import type { UnitLayout, UnitRunner } from './dat/unit.ts'
import { type OpenTrace, openTrace } from './open.ts'
import type { TraceSummary } from './source.ts'
import type { Symbols } from './symbols.ts'
import { readText } from './text/read.ts'

export interface AuditTraceOptions extends AuditOptions {
  /** A buffer of a trace.dat with several; default: the top one, or the first that holds data. */
  readonly instance?: string
  /** What works on the units of a trace.dat: threads. Default: this thread. Asked when the trace is open. */
  readonly runner?: (trace: OpenTrace) => (layout: UnitLayout) => UnitRunner
  /** Names of functions for addresses that the recording itself does not name. */
  readonly symbols?: Symbols
  /** 0..1, and the events so far. */
  readonly progress?: (done: number, events: number) => void
}

/** Reads a whole recording and judges it. Throws `TraceError`, with what to do, if no event can be read. */
export async function auditTrace(file: ByteFile, inflate: Inflate, options: AuditTraceOptions): Promise<AuditResult> {
  const trace = openTrace(file, inflate)
  const audit = new Audit(options)
  const summary = await read(trace, inflate, options, audit)
  if (summary.events === 0) throw new TraceError(noEvents(file, summary))
  await audit.answered()
  return audit.finish(summary)
}

function read(trace: OpenTrace, inflate: Inflate, options: AuditTraceOptions, audit: Audit): Promise<TraceSummary> {
  const listener = { ...audit.listener, progress: options.progress }
  if (trace.kind === 'text') return readText(trace.file, trace.text, listener, options.symbols)
  const { instances } = trace
  const wanted = options.instance
  if (wanted !== undefined && !trace.dat.head.buffers.some(({ name }) => name === wanted)) {
    throw new TraceError(
      `${trace.file.name} has no instance '${wanted}'. It has: ${instances.map((name) => (name === '' ? "'' (the top one)" : name)).join(', ')}`,
    )
  }
  const make = options.runner?.(trace) ?? ((layout: UnitLayout) => ownThread(layout, inflate))
  return readDat(trace.dat, wanted ?? (instances.includes('') ? '' : (instances[0] ?? '')), make, listener, options.symbols)
}

function noEvents(file: ByteFile, summary: TraceSummary): string {
  if (!summary.end.complete) return `${file.name} ends early ${summary.end.why}: no event can be read`
  const counted = summary.absent.reduce((sum, { counted }) => sum + counted, 0)
  const why = counted > 0 ? ` (the kernel counted ${counted} records, which the recorder did not write to the file)` : ''
  return `${file.name} is a trace, but no page_ref event was recorded in it${why}`
}
