/** Device pages' events in columns, in the order of each page's life, for tables: `--parquet` and `--sql`. */
import { countAfter } from './count.ts'
import { DeviceGate } from './device-gate.ts'
import type { LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { DevicePage, DeviceType } from './life.ts'
import { type EventBatch, eventAt, hasResult, OP_NAMES, type PageEvent } from './page-event.ts'
import type { TraceHead, TraceTables } from './source.ts'

/** One event of a device page as a row. `null`: not known, or the operation has none. */
export interface EventRows {
  /** Nanoseconds of the trace's clock. */
  readonly time: bigint[]
  readonly cpu: number[]
  readonly pid: number[]
  readonly comm: (string | null)[]
  /** Page frame number. */
  readonly pfn: bigint[]
  /** `page_ref_mod` and so on. */
  readonly op: string[]
  readonly val: number[]
  readonly ret: (number | null)[]
  /** The page's count before and after, as the replay has it. */
  readonly before: (number | null)[]
  readonly after: (number | null)[]
  /** The count as it was read for the event, a moment after: a hint. */
  readonly hint: number[]
  readonly mapcount: number[]
  readonly flags: bigint[]
  readonly mt: number[]
  /** 0 task, 8 interrupt, 16 softirq, 24 interrupt in a softirq, 64 NMI. */
  readonly context: number[]
  /** The innermost function of the stack, and the whole stack, innermost first: `a < b < c`. */
  readonly function: (string | null)[]
  readonly stack: (string | null)[]
}

function noRows(): EventRows {
  return {
    time: [],
    cpu: [],
    pid: [],
    comm: [],
    pfn: [],
    op: [],
    val: [],
    ret: [],
    before: [],
    after: [],
    hint: [],
    mapcount: [],
    flags: [],
    mt: [],
    context: [],
    function: [],
    stack: [],
  }
}

interface Row {
  readonly event: PageEvent
  readonly before: number
  readonly after: number
}

/** Gives rows to `sink`, some ten thousand at a time. `only`: of these pages, if there are any. */
export class EventRowMaker implements LifeJudge {
  private rows = noRows()
  private gate = new DeviceGate<Row>(
    () => undefined,
    () => {},
  )
  private tables: TraceTables | undefined
  private readonly stacks = new Map<number, string>()
  private readonly sink: (rows: EventRows) => void
  private readonly only: ReadonlySet<number>
  private readonly size: number

  constructor(sink: (rows: EventRows) => void, only: ReadonlySet<number> = new Set(), size = 50_000) {
    this.sink = sink
    this.only = only
    this.size = size
  }

  begin(
    _head: TraceHead,
    _rules: KernelRules | undefined,
    _typeOf: (page: DevicePage) => DeviceType,
    certain: (page: DevicePage) => boolean | undefined,
  ): void {
    this.gate = new DeviceGate(certain, (page, row) => this.add(page, row))
  }

  use(tables: TraceTables): void {
    this.tables = tables
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    if (this.only.size > 0 && !this.only.has(page.pfn)) return
    let before = page.count
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const after = countAfter(batch, row, before)
      const was = before
      this.gate.pass(page, () => ({ event: eventAt(batch, row), before: was, after }))
      before = after
    }
  }

  private add(page: DevicePage, { event, before, after }: Row): void {
    const { rows } = this
    rows.time.push(BigInt(Math.round(event.time)))
    rows.cpu.push(event.cpu)
    rows.pid.push(event.pid)
    rows.comm.push(this.tables?.comm(event.pid) ?? null)
    rows.pfn.push(BigInt(page.pfn))
    rows.op.push(OP_NAMES[event.op])
    rows.val.push(event.val)
    rows.ret.push(hasResult(event.op) ? event.ret : null)
    rows.before.push(Number.isNaN(before) ? null : before)
    rows.after.push(Number.isNaN(after) ? null : after)
    rows.hint.push(event.count)
    rows.mapcount.push(event.mapcount)
    rows.flags.push(BigInt.asIntN(64, event.flags))
    rows.mt.push(event.mt)
    rows.context.push(event.context)
    const stack = this.stackOf(event.stack)
    rows.function.push(stack === '' ? null : stack.split(' < ', 1)[0])
    rows.stack.push(stack === '' ? null : stack)
    if (rows.time.length >= this.size) this.flush()
  }

  /** Equal texts are one string: a table keeps each once. */
  private stackOf(stack: number): string {
    if (stack === 0 || !this.tables) return ''
    const site = this.tables.site(stack)
    let text = this.stacks.get(site)
    if (text === undefined) {
      text = this.tables.siteFrames(site).join(' < ')
      this.stacks.set(site, text)
    }
    return text
  }

  private flush(): void {
    if (this.rows.time.length === 0) return
    this.sink(this.rows)
    this.rows = noRows()
  }

  broken(): void {}

  end(): void {}

  /** The rest; asked at the end of an audit. */
  findings(device: (page: { readonly index: number; readonly pfn: number }) => boolean): readonly [] {
    this.gate.end(device)
    this.flush()
    return []
  }
}
