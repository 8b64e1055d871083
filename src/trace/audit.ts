/** A whole audit: what comes from a reader goes through the replay into the ledger, and out come findings. Pure; `cli` gives files and threads. */
import type { Finding, JudgedRange } from './finding.ts'
import { type BadCount, inOrder, judgedRanges, traceFindings } from './findings.ts'
import type { EndOfTrace } from './held.ts'
import type { Conformance, LifeJudge, ReferenceSink } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import { Ledger } from './ledger.ts'
import type { DevicePage, DeviceRange, LifeListener } from './life.ts'
import { hasResult, OP_NAMES } from './page-event.ts'
import { PageTable, type TrackedPage } from './page-table.ts'
import type { FrameSet } from './ranges.ts'
import { Replay } from './replay.ts'
import type { Contradiction } from './settling.ts'
import type { TraceListener, TraceSummary } from './source.ts'

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
  private ledger: Ledger
  private replay: Replay
  private readonly bad: BadCount[] = []
  private told = 0

  constructor(options: AuditOptions) {
    this.options = options
    const before = new PageTable()
    this.ledger = new Ledger(undefined, before)
    this.replay = this.newReplay(before, [])
    this.listener = {
      head: (head) => {
        this.rules = options.rules?.(head.release)
        const table = new PageTable()
        this.ledger = new Ledger(this.rules, table, options.references)
        this.replay = this.newReplay(table, options.judges ?? [])
        this.replay.head(head)
        const { replay } = this
        const certain = (page: DevicePage): boolean | undefined => replay.isCertainlyDevice(page as TrackedPage)
        options.references?.begin(this.ledger.sites, certain)
        for (const judge of options.judges ?? [])
          judge.begin?.(head, this.rules, (page) => this.ledger.areas.of(page as TrackedPage).type, certain, table.pages)
      },
      events: (batch, tables) => {
        this.replay.letters.fill(batch, tables)
        this.ledger.use(tables, this.replay.letters)
        options.references?.use(tables)
        for (const judge of options.judges ?? []) {
          judge.use?.(tables, this.replay.letters)
          judge.see?.(batch)
        }
        this.replay.events(batch)
      },
      range: (event) => this.replay.range(event),
      lost: (loss) => this.replay.lost(loss),
      dropZones: () => this.replay.zones.others,
    }
  }

  private newReplay(table: PageTable, others: readonly LifeListener[]): Replay {
    const counter: LifeListener = {
      run: (_page, _batch, _rows, from, to) => {
        this.told += to - from
      },
      broken: () => {},
      end: () => {},
    }
    return new Replay(table, [this.ledger, counter, ...others], {
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
      site: this.ledger.sites.ofStack(batch.stack[row]),
      operation: OP_NAMES[op],
      before: one.before,
      said: `${batch.val[row]}${result}`,
      sure: one.sure,
    })
  }

  /** Ends the replay and judges. */
  finish(summary: TraceSummary): AuditResult {
    this.replay.end()
    const { ledger, replay, rules } = this
    const judges = this.options.judges ?? []
    this.options.references?.end((page) => replay.isDevice(page as TrackedPage))
    // Nothing changes what was decided of an area any more.
    const freeAt = new Map(ledger.areas.all.map((area) => [area, area.freeAt]))
    const end: EndOfTrace = {
      ledger,
      pages: ledger.pages.filter((page) => replay.isDevice(page)),
      tables: summary.tables,
      last: summary.lastTime,
      release: summary.head.release,
      free: (page) => freeAt.get(ledger.areas.of(page)) ?? ledger.areas.of(page).freeAt,
      isDevice: (page) => replay.isDevice(page),
    }
    const pages = end.pages.length
    return {
      summary,
      kernel: rules?.kernel,
      pages,
      deviceEvents: this.told,
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
