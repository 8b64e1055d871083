/** One audit of a file on the disk: opens it, reads it with threads and progress, judges. */
import { grouped } from '../report/wrap.ts'
import type { RoleBook } from '../roles/book.ts'
import type { AuditResult } from '../trace/audit.ts'
import { auditTrace } from '../trace/audit-trace.ts'
import { type ByteFile, TraceError } from '../trace/byte-file.ts'
import { isDat } from '../trace/dat/head.ts'
import { HeldLives } from '../trace/held-lives.ts'
import { HeldToModel, type Lives } from '../trace/held-to-model.ts'
import type { LifeJudge, ReferenceSink } from '../trace/judge.ts'
import type { DeviceRange } from '../trace/life.ts'
import type { FrameSet } from '../trace/ranges.ts'
import type { Symbols } from '../trace/symbols.ts'
import { openDisk } from './disk-file.ts'
import { startWorkers, takeEarly, usualThreads, WORTH_THREADS } from './early-threads.ts'
import { Failure } from './failure.ts'
import { makeInflate } from './inflate.ts'
import { bookOf, isKept } from './kept-books.ts'
import { LivesApart } from './lives-apart.ts'
import { presetFor, rulesOf } from './model-rules.ts'
import { type UnitThreads, unitThreads } from './unit-threads.ts'

export interface AuditRequest {
  readonly path: string
  readonly ranges: readonly DeviceRange[]
  readonly ordinary: FrameSet | undefined
  /** A preset that was asked for; else it is told by the trace. */
  readonly kernel: string | undefined
  readonly instance: string | undefined
  readonly threads: number | undefined
  /** Names of functions for addresses that the recording itself does not name. */
  readonly symbols?: Symbols
  /** More who judge or collect lives, beside the conformance to the model. */
  readonly judges?: readonly LifeJudge[]
  readonly references?: ReferenceSink
}

/** Files with less data than this are judged in one thread: another takes a tenth of a second to start, on a processor that the others want. */
const WORTH_JUDGING_APART = 24 * 1024 * 1024

/** Throws `Failure` if no event can be read. */
export async function auditFile(request: AuditRequest): Promise<AuditResult> {
  const file = await openDisk(request.path)
  const progress = progressOn(process.stderr)
  const threads = threadsFor(file, request.threads)
  let apart: LivesApart | undefined
  // In another thread where that thread need not wait for the model, and there is enough to do.
  const livesOf = (book: RoleBook, release: string | undefined): Lives => {
    if (request.threads !== undefined || file.size < WORTH_JUDGING_APART || !isDat(file.read(0, 16)) || !isKept(book.kernel))
      return new HeldLives(book, release)
    apart = new LivesApart(book.kernel, release)
    return apart
  }
  try {
    const inflate = await makeInflate()
    const bookFor = (kernel: string): RoleBook => bookOf(kernel, (one) => progress.say(`reading the model of ${one}: it is kept for the next time`))
    return await auditTrace(file, inflate, {
      ranges: request.ranges,
      ordinary: request.ordinary,
      judges: [new HeldToModel(bookFor, livesOf), ...(request.judges ?? [])],
      references: request.references,
      instance: request.instance,
      symbols: request.symbols,
      progress: progress.update,
      runner: () => (layout) => threads.make(layout, inflate),
      rules(release) {
        const kernel = request.kernel ?? (release === undefined ? undefined : presetFor(release))
        return kernel === undefined ? undefined : rulesOf(kernel, bookFor(kernel))
      },
    })
  } catch (error) {
    throw error instanceof TraceError ? new Failure(error.message) : error
  } finally {
    progress.clear()
    await threads.close()
    await apart?.close()
    file.close()
  }
}

function threadsFor(file: ByteFile, asked: number | undefined): UnitThreads {
  const worth = file.size >= WORTH_THREADS && isDat(file.read(0, 16))
  const early = asked === undefined && worth ? takeEarly() : []
  return unitThreads(early.length > 0 ? early : startWorkers(asked ?? (worth ? usualThreads() : 0)))
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
