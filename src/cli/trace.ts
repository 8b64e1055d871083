/** `putpage trace`: who holds the page, on a real kernel. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { renderLife } from '../report/page-life.ts'
import { TimelineCollector } from '../report/timeline.ts'
import { traceDocument } from '../report/trace-document.ts'
import { auditJson } from '../report/trace-json.ts'
import { renderAudit } from '../report/trace-text.ts'
import { grouped } from '../report/wrap.ts'
import { Audit, type AuditResult } from '../trace/audit.ts'
import { TraceError } from '../trace/byte-file.ts'
import { readDat } from '../trace/dat/read.ts'
import { HeldToModel } from '../trace/held-to-model.ts'
import type { LifeJudge } from '../trace/judge.ts'
import type { DeviceRange } from '../trace/life.ts'
import { type OpenTrace, openTrace } from '../trace/open.ts'
import { PageStories } from '../trace/page-story.ts'
import { type FrameSet, ordinaryFrames, parseIomem, parseRange } from '../trace/ranges.ts'
import type { TraceListener, TraceSummary } from '../trace/source.ts'
import { readText } from '../trace/text/read.ts'
import { type DiskFile, openDisk } from './disk-file.ts'
import { Failure } from './failure.ts'
import { makeInflate } from './inflate.ts'
import { PRESETS, presetFor, rulesOf } from './model-rules.ts'
import { bookOf, keepBooks } from './role-books.ts'
import { outputColour, outputWidth } from './terminal.ts'
import { unitThreads, WORTH_THREADS } from './unit-threads.ts'

interface TraceFlags {
  readonly iomem?: string
  readonly range: string[]
  readonly pfn: string[]
  readonly kernel?: string
  readonly instance?: string
  readonly json?: true
  readonly html?: string
  readonly threads?: string
}

const collect = (value: string, all: string[]): string[] => [...all, value]

export function addTrace(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('trace')
    .description('who holds the page: reads a recording of a real kernel, and says which device pages are still held and by which call site')
    .argument('<file>', 'trace.dat (6 or 7), or the text of trace-cmd report, tracefs or perf script; - for standard input')
    .option('--iomem <file>', "the machine's /proc/iomem, copied as root: which frames are device pages (default: NAME.iomem beside NAME.dat)")
    .option('--range <a-b=type>', 'frames of device pages: private, coherent, fsdax, generic or p2pdma; may be given more than once', collect, [])
    .option('--pfn <frame>', "print a page's whole life; may be given more than once", collect, [])
    .option('--kernel <kernel>', "whose rules to judge by (default: that of the trace's own kernel)")
    .option('--instance <name>', 'which buffer of a trace.dat with several')
    .option('--json', 'print everything as JSON')
    .option('--html <file>', 'also write a page with the findings, the lives of their pages and a timeline: one file, needs no network')
    .option('--threads <n>', 'threads that unpack and parse (default: as many as there are processors, at most 4)')
    .addHelpText(
      'after',
      `
Exit codes: 0 no error found, 1 an error found, 2 the file cannot be read, 3 it ends early or events are lost, and nothing is proved.

Examples:
  putpage trace trace.dat --iomem iomem.txt
  putpage trace trace.dat --pfn 0xfcfffe9
  putpage trace trace.dat --html report.html
  trace-cmd report trace.dat | putpage trace - --kernel v6.1 --range 0x40000-0x5ffff=fsdax`,
    )
    .action(async (path: string, flags: TraceFlags) => {
      finish(await traceFile(path, flags))
    })
}

async function traceFile(path: string, flags: TraceFlags): Promise<ExitCode> {
  const iomem = iomemOf(path, flags)
  const ranges = [...flags.range.map(checked(parseRange)), ...(iomem?.ranges ?? [])]
  const pfns = flags.pfn.map(frameNumber)
  if (flags.kernel !== undefined && !PRESETS.includes(flags.kernel))
    throw new Failure(`there is no kernel '${flags.kernel}'. The kernels: ${PRESETS.join(', ')}`)
  const file = await openDisk(path)
  try {
    const { result, stories } = await audit(file, ranges, iomem?.ordinary, pfns, flags)
    if (flags.json) process.stdout.write(`${JSON.stringify(auditJson(result), null, 1)}\n`)
    else if (pfns.length > 0) process.stdout.write(lives(result, stories, pfns))
    else {
      const kernelFrom =
        flags.kernel !== undefined ? 'option' : result.kernel === undefined ? 'none' : result.summary.head.uname === undefined ? 'guess' : 'trace'
      process.stdout.write(renderAudit(result, { file: path, colour: outputColour(), width: outputWidth(), kernelFrom, iomem: iomem?.name }))
    }
    return exitCodeOf(result)
  } catch (error) {
    throw error instanceof TraceError ? new Failure(error.message) : error
  } finally {
    file.close()
  }
}

/** What an audit's outcome is to a script. */
export function exitCodeOf(result: AuditResult): ExitCode {
  if (result.findings.some(({ severity }) => severity === 'error')) return 1
  const { summary } = result
  if (!summary.end.complete || summary.lost > 0 || summary.lossUnknown) return 3
  return result.findings.some(({ severity }) => severity === 'unknown') ? 3 : 0
}

async function audit(
  file: DiskFile,
  ranges: readonly DeviceRange[],
  ordinary: FrameSet | undefined,
  pfns: readonly number[],
  flags: TraceFlags,
): Promise<{ result: AuditResult; stories: PageStories }> {
  const inflate = await makeInflate()
  const trace = openTrace(file, inflate)
  const stories = new PageStories(pfns)
  const timeline = flags.html === undefined ? undefined : new TimelineCollector()
  const judges: LifeJudge[] = [new HeldToModel(bookOf), ...(pfns.length > 0 ? [stories] : []), ...(timeline ? [timeline] : [])]
  const one = new Audit({
    ranges,
    ordinary,
    judges,
    rules: (release) => {
      const kernel = flags.kernel ?? (release === undefined ? undefined : presetFor(release))
      return kernel === undefined ? undefined : rulesOf(kernel)
    },
  })
  const threads = unitThreads(threadsFor(trace, flags), inflate)
  const progress = progressOn(process.stderr)
  try {
    const listener: TraceListener = { ...one.listener, progress: progress.update }
    const summary = await read(trace, flags, threads.make, listener)
    progress.clear()
    if (summary.events === 0) throw new TraceError(noEvents(trace, summary))
    const result = one.finish(summary)
    keepBooks()
    if (timeline && flags.html !== undefined) await writePage(flags.html, file.name, result, timeline)
    return { result, stories }
  } finally {
    progress.clear()
    await threads.close()
  }
}

async function writePage(path: string, name: string, result: AuditResult, collector: TimelineCollector): Promise<void> {
  const { reportPage } = await import('../studio/page.ts')
  const { timeline, details } = collector.finish()
  const document = traceDocument(basename(name), result, timeline, details, result.summary.tables)
  writeFileSync(path, reportPage(`${basename(name)}: putpage trace`, { kind: 'trace', trace: document }))
}

function read(trace: OpenTrace, flags: TraceFlags, make: Parameters<typeof readDat>[2], listener: TraceListener): Promise<TraceSummary> {
  if (trace.kind === 'text') return readText(trace.file, trace.text, listener)
  const { instances } = trace
  const instance = flags.instance ?? (instances.includes('') ? '' : (instances[0] ?? ''))
  if (flags.instance !== undefined && !trace.dat.head.buffers.some(({ name }) => name === flags.instance)) {
    throw new Failure(
      `${trace.file.name} has no instance '${flags.instance}'. It has: ${instances.map((name) => (name === '' ? "'' (the top one)" : name)).join(', ')}`,
    )
  }
  return readDat(trace.dat, instance, make, listener)
}

function noEvents(trace: OpenTrace, summary: TraceSummary): string {
  if (!summary.end.complete) return `${trace.file.name} ends early ${summary.end.why}: no event can be read`
  return `${trace.file.name} is a trace, but no page_ref event was recorded in it`
}

function threadsFor(trace: OpenTrace, flags: TraceFlags): number {
  if (flags.threads !== undefined) {
    const asked = Number(flags.threads)
    if (!Number.isInteger(asked) || asked < 0 || asked > 64) throw new Failure(`--threads ${flags.threads}: a whole number from 0 to 64 is needed`)
    return asked
  }
  if (trace.kind === 'text' || trace.file.size < WORTH_THREADS) return 0
  return Math.min(4, availableParallelism())
}

function iomemOf(path: string, flags: TraceFlags): { readonly ranges: DeviceRange[]; readonly ordinary: FrameSet; readonly name: string } | undefined {
  const beside = `${path.replace(/\.(dat|txt|trace)$/, '')}.iomem`
  const name = flags.iomem ?? (path !== '-' && existsSync(beside) ? beside : undefined)
  if (name === undefined) return undefined
  let text: string
  try {
    text = readFileSync(name, 'utf8')
  } catch (error) {
    throw new Failure(`${name} cannot be read: ${(error as Error).message}`)
  }
  try {
    return { ranges: parseIomem(text), ordinary: ordinaryFrames(text), name }
  } catch (error) {
    throw new Failure(`${name} ${(error as Error).message}`)
  }
}

function checked<A, B>(parse: (value: A) => B): (value: A) => B {
  return (value) => {
    try {
      return parse(value)
    } catch (error) {
      throw new Failure((error as Error).message)
    }
  }
}

function frameNumber(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new Failure(`--pfn ${text}: a page frame number is needed, as in 0x41819`)
  return value
}

function lives(result: AuditResult, stories: PageStories, pfns: readonly number[]): string {
  return pfns
    .map((pfn) => {
      const story = stories.stories.get(pfn) ?? []
      const range = result.ranges.find(({ start, end }) => pfn >= start && pfn <= end)
      if (story.length === 0) return `page 0x${pfn.toString(16)}: no event in this trace\n`
      return renderLife(pfn, story, stories.cut.has(pfn), result.summary.tables, range?.freeAt, outputColour())
    })
    .join('\n')
}

/** A line that is rewritten, on a terminal only, for files that take over a second. */
function progressOn(stream: NodeJS.WriteStream): { update(done: number, events: number): void; clear(): void } {
  const start = performance.now()
  let shown = 0
  return {
    update(done, events) {
      const now = performance.now()
      if (!stream.isTTY || now - start < 1000 || now - shown < 100) return
      shown = now
      stream.write(`\r\u001b[K${Math.floor(done * 100)} %, ${grouped(events)} events, ${((now - start) / 1000).toFixed(0)} s`)
    },
    clear() {
      if (shown > 0) stream.write('\r\u001b[K')
      shown = 0
    },
  }
}
