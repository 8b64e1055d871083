/** A whole audit: what comes from a reader goes through the replay into the ledger, and out come findings. Pure; `cli` gives files and threads. */

import type { EndOfTrace } from './end-of-trace.ts'
import type { Finding, JudgedRange } from './finding.ts'
import { type BadCount, inOrder, judgedRanges, traceFindings } from './findings.ts'
import type { Conformance, LifeJudge, ReferenceSink } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import { Ledger } from './ledger.ts'
import type { DevicePage, DeviceRange, LifeListener } from './life.ts'
import { hasResult, OP_NAMES } from './page-event.ts'
import { PageTable, type TrackedPage } from './page-table.ts'
import type { FrameSet } from './ranges.ts'
import { Replay } from './replay.ts'
import type { Contradiction } from './settling.ts'
import type { Loss, TraceListener, TraceSummary } from './source.ts'

/** Contradictions kept; beyond it something is wrong with the trace as a whole. */
const MOST_BAD = 1000

export interface AuditOptions {
  readonly ranges: readonly DeviceRange[]
  /** Frames of ordinary memory, if that is known. */
  readonly ordinary?: FrameSet
  /** The model's rules for the kernel of the trace; asked when the head is known. */
  readonly rules?: (release: string | undefined) => KernelRules | undefined
  /** More who judge or collect lives: conformance, exports. */
  readonly judges?: readonly LifeJudge[]
  /** Who hears of each reference. */
  readonly references?: ReferenceSink
}

export interface AuditResult {
  readonly summary: TraceSummary
  readonly kernel: string | undefined
  /** Device pages that had events. */
  readonly pages: number
  readonly deviceEvents: number
  readonly ranges: readonly JudgedRange[]
  readonly findings: readonly Finding[]
  readonly conformance: Conformance | undefined
  /** How often a put's call site was seen to pay back a get's where there was no choice: sites as the tables number them. */
  readonly paid: (put: number, get: number) => number
}

/** Takes part in a pass over a trace: give `listener` to a reader, then ask `finish`. */
export class Audit {
  readonly listener: TraceListener
  private readonly options: AuditOptions
  private rules: KernelRules | undefined
  /** Made when the head is known. */
  private judging: { readonly ledger: Ledger; readonly replay: Replay } | undefined
  private readonly bad: BadCount[] = []
  private readonly losses: Loss[] = []
  private ended = false

  constructor(options: AuditOptions) {
    this.options = options
    this.listener = {
      head: (head) => {
        this.rules = options.rules?.(head.release)
        const table = new PageTable()
        const ledger = new Ledger(this.rules, table, options.references)
        const replay = this.newReplay(table, [ledger, ...(options.judges ?? [])])
        this.judging = { ledger, replay }
        replay.head(head)
        const certain = (page: DevicePage): boolean | undefined => replay.isCertainlyDevice(page as TrackedPage)
        options.references?.begin(ledger.sites, certain)
        for (const judge of options.judges ?? []) judge.begin?.(head, this.rules, (page) => ledger.areas.of(page as TrackedPage).type, certain, table.pages)
      },
      events: (batch, tables) => {
        const { ledger, replay } = this.begun()
        replay.letters.fill(batch, tables)
        ledger.use(tables, replay.letters)
        options.references?.use(tables)
        for (const judge of options.judges ?? []) {
          judge.use?.(tables, replay.letters)
          judge.see?.(batch)
        }
        replay.events(batch)
      },
      range: (event) => this.begun().replay.range(event),
      lost: (loss) => {
        this.losses.push(loss)
        for (const judge of options.judges ?? []) judge.rest?.()
        this.begun().replay.lost(loss)
      },
      // Asked before the head: threads are given work while it is looked at.
      dropZones: () => this.judging?.replay.zones.others ?? [],
    }
  }

  private begun(): { readonly ledger: Ledger; readonly replay: Replay } {
    if (!this.judging) throw new Error('[putpage internal bug] a reader told events before the head')
    return this.judging
  }

  private newReplay(table: PageTable, listeners: readonly LifeListener[]): Replay {
    return new Replay(table, listeners, {
      ranges: this.options.ranges,
      ordinary: this.options.ordinary,
      onContradiction: (one) => this.contradiction(one),
    })
  }

  private contradiction(one: Contradiction): void {
    if (this.bad.length >= MOST_BAD) return
    const { batch, row } = one
    const op = batch.op[row]
    const result = hasResult(op) ? ` with result ${batch.ret[row]}` : ''
    this.bad.push({
      pfn: one.page.pfn,
      time: one.time,
      site: this.begun().ledger.sites.ofStack(batch.stack[row]),
      operation: OP_NAMES[op],
      before: one.before,
      said: `${batch.val[row]}${result}`,
      sure: one.sure,
    })
  }

  /** Ends the replay, and waits for judges that work elsewhere. Only where there are such it has to be called. */
  async answered(): Promise<void> {
    this.end()
    for (const judge of this.options.judges ?? []) await judge.answered?.()
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    for (const judge of this.options.judges ?? []) judge.rest?.()
    this.begun().replay.end()
  }

  /** Ends the replay and judges. */
  finish(summary: TraceSummary): AuditResult {
    this.end()
    const { ledger, replay } = this.begun()
    const { rules } = this
    const judges = this.options.judges ?? []
    this.options.references?.end((page) => replay.isDevice(page as TrackedPage))
    // Nothing changes what was decided of an area any more.
    const freeAt = new Map(ledger.areas.all.map((area) => [area, area.freeAt]))
    const end: EndOfTrace = {
      ledger,
      pages: ledger.pages((page) => replay.isDevice(page)),
      tables: summary.tables,
      first: summary.firstTime,
      last: summary.lastTime,
      stopped: stoppedAt(summary),
      known: summary.knownUntil,
      release: summary.head.release,
      free: (page) => freeAt.get(ledger.areas.of(page)) ?? ledger.areas.of(page).freeAt,
      isDevice: (page) => replay.isDevice(page),
      // A loss is told when its CPU goes on: until then nobody knew that something was missing.
      doubtful: (time) =>
        summary.head.comparable === false || time > summary.knownUntil || this.losses.some(({ after, before }) => time >= after && time <= before),
    }
    const pages = end.pages.length
    return {
      summary,
      kernel: rules?.kernel,
      pages,
      deviceEvents: replay.told,
      ranges: judgedRanges(end),
      findings: inOrder([
        ...traceFindings(end, this.bad, rules),
        ...judges.flatMap((judge) => judge.findings?.((page) => replay.isDevice(page as TrackedPage)) ?? []),
      ]),
      paid: (put, get) => ledger.matching.timesPaid(put, get),
      conformance: judges.map((judge) => judge.conformance?.((page) => replay.isDevice(page as TrackedPage))).find((one) => one !== undefined),
    }
  }
}

/** Records that may be missing of a thousand, and the recording still tells that nothing happened: trace-cmd 3.1.6 leaves a few out at the end. */
const MISSING = 0.01

/** `EndOfTrace.stopped`. */
function stoppedAt({ end, absent, records, stopTime, lastTime, head }: TraceSummary): number | 'untold' | undefined {
  if (end.complete && !head.format.startsWith('trace.dat')) return 'untold'
  if (!end.complete || stopTime === undefined || stopTime < lastTime || head.comparable === false) return undefined
  const missing = absent.reduce((sum, one) => sum + one.absent, 0)
  return missing > MISSING * (records + missing) ? undefined : stopTime
}
