/** One audit of a file on the disk: opens it, reads it with threads and progress, judges. */
import { availableParallelism } from 'node:os'
import { grouped } from '../report/wrap.ts'
import type { RoleBook } from '../roles/book.ts'
import { Audit, type AuditResult } from '../trace/audit.ts'
import { TraceError } from '../trace/byte-file.ts'
import { readDat } from '../trace/dat/read.ts'
import { HeldToModel } from '../trace/held-to-model.ts'
import type { LifeJudge, ReferenceSink } from '../trace/judge.ts'
import type { DeviceRange } from '../trace/life.ts'
import { type OpenTrace, openTrace } from '../trace/open.ts'
import type { FrameSet } from '../trace/ranges.ts'
import type { TraceListener, TraceSummary } from '../trace/source.ts'
import { readText } from '../trace/text/read.ts'
import { openDisk } from './disk-file.ts'
import { Failure } from './failure.ts'
import { makeInflate } from './inflate.ts'
import { bookOf } from './kept-books.ts'
import { presetFor, rulesOf } from './model-rules.ts'
import { unitThreads, WORTH_THREADS } from './unit-threads.ts'

export interface AuditRequest {
  readonly path: string
  readonly ranges: readonly DeviceRange[]
  readonly ordinary: FrameSet | undefined
  /** A preset that was asked for; else it is told by the trace. */
  readonly kernel: string | undefined
  readonly instance: string | undefined
  readonly threads: number | undefined
  /** More who judge or collect lives, beside the conformance to the model. */
  readonly judges?: readonly LifeJudge[]
  readonly references?: ReferenceSink
}

/** Throws `Failure` if no event can be read. */
export async function auditFile(request: AuditRequest): Promise<AuditResult> {
  const file = await openDisk(request.path)
  const progress = progressOn(process.stderr)
  try {
    const inflate = await makeInflate()
    const trace = openTrace(file, inflate)
    const bookFor = (kernel: string): RoleBook => bookOf(kernel, (one) => progress.say(`reading the model of ${one}: it is kept for the next time`))
    const one = new Audit({
      ranges: request.ranges,
      ordinary: request.ordinary,
      judges: [new HeldToModel(bookFor), ...(request.judges ?? [])],
      references: request.references,
      rules: (release) => {
        const kernel = request.kernel ?? (release === undefined ? undefined : presetFor(release))
        return kernel === undefined ? undefined : rulesOf(kernel, bookFor(kernel))
      },
    })
    const threads = unitThreads(request.threads ?? usualThreads(trace), inflate)
    try {
      const summary = await read(trace, request.instance, threads.make, { ...one.listener, progress: progress.update })
      progress.clear()
      if (summary.events === 0) throw new TraceError(noEvents(trace, summary))
      return one.finish(summary)
    } finally {
      await threads.close()
    }
  } catch (error) {
    throw error instanceof TraceError ? new Failure(error.message) : error
  } finally {
    progress.clear()
    file.close()
  }
}

function read(trace: OpenTrace, wanted: string | undefined, make: Parameters<typeof readDat>[2], listener: TraceListener): Promise<TraceSummary> {
  if (trace.kind === 'text') return readText(trace.file, trace.text, listener)
  const { instances } = trace
  const instance = wanted ?? (instances.includes('') ? '' : (instances[0] ?? ''))
  if (wanted !== undefined && !trace.dat.head.buffers.some(({ name }) => name === wanted)) {
    throw new Failure(
      `${trace.file.name} has no instance '${wanted}'. It has: ${instances.map((name) => (name === '' ? "'' (the top one)" : name)).join(', ')}`,
    )
  }
  return readDat(trace.dat, instance, make, listener)
}

function noEvents(trace: OpenTrace, summary: TraceSummary): string {
  if (!summary.end.complete) return `${trace.file.name} ends early ${summary.end.why}: no event can be read`
  return `${trace.file.name} is a trace, but no page_ref event was recorded in it`
}

function usualThreads(trace: OpenTrace): number {
  if (trace.kind === 'text' || trace.file.size < WORTH_THREADS) return 0
  return Math.min(4, availableParallelism())
}

interface Progress {
  update(done: number, events: number): void
  say(what: string): void
  clear(): void
}

/** A line that is rewritten, on a terminal only, for files that take over a second. */
function progressOn(stream: NodeJS.WriteStream): Progress {
  const start = performance.now()
  let shown = 0
  return {
    update(done, events) {
      const now = performance.now()
      if (!stream.isTTY || now - start < 1000 || now - shown < 100) return
      shown = now
      stream.write(`\r\u001b[K${Math.floor(done * 100)} %, ${grouped(events)} events, ${((now - start) / 1000).toFixed(0)} s`)
    },
    say(what) {
      if (!stream.isTTY) return
      shown = performance.now()
      stream.write(`\r\u001b[K${what}`)
    },
    clear() {
      if (shown > 0) stream.write('\r\u001b[K')
      shown = 0
    },
  }
}
