/** Device pages' events in columns, in the order of each page's life, for tables: `--parquet` and `--sql`. */
import { countAfter } from './count.ts'
import { DeviceGate } from './device-gate.ts'
import type { LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { DevicePage, DeviceType } from './life.ts'
import { copyRow, copyRows, type EventBatch, hasResult, newBatch, OP_NAMES } from './page-event.ts'
import type { TraceHead, TraceTables } from './source.ts'

/** One event of a device page as a row. `null`: not known, or the operation has none. */
export interface EventRows {
  /** Nanoseconds of the trace's clock. */
  readonly time: BigInt64Array
  readonly cpu: Int32Array
  readonly pid: Int32Array
  readonly comm: (string | null)[]
  /** Page frame number. */
  readonly pfn: BigInt64Array
  /** `page_ref_mod` and so on. */
  readonly op: string[]
  readonly val: Int32Array
  readonly ret: (number | null)[]
  /** The page's count before and after, as the replay has it. */
  readonly before: (number | null)[]
  readonly after: (number | null)[]
  /** The count as it was read for the event, a moment after: a hint. */
  readonly hint: Int32Array
  readonly mapcount: Int32Array
  readonly flags: BigInt64Array
  readonly mt: Int32Array
  /** 0 task, 8 interrupt, 16 softirq, 24 interrupt in a softirq, 64 NMI. */
  readonly context: Int32Array
  /** The innermost function of the stack, and the whole stack, innermost first: `a < b < c`. */
  readonly function: (string | null)[]
  readonly stack: (string | null)[]
}

/** Room for rows; they are filled over and over again. */
function roomForRows(size: number): EventRows {
  const numbers = (): Int32Array => new Int32Array(size)
  const nullable = <T>(): (T | null)[] => new Array<T | null>(size).fill(null)
  return {
    time: new BigInt64Array(size),
    cpu: numbers(),
    pid: numbers(),
    comm: nullable(),
    pfn: new BigInt64Array(size),
    op: new Array<string>(size).fill(''),
    val: numbers(),
    ret: nullable(),
    before: nullable(),
    after: nullable(),
    hint: numbers(),
    mapcount: numbers(),
    flags: new BigInt64Array(size),
    mt: numbers(),
    context: numbers(),
    function: nullable(),
    stack: nullable(),
  }
}

/** The first rows of a table. */
function firstRows(rows: EventRows, length: number): EventRows {
  if (length === rows.time.length) return rows
  const cut = (column: EventRows[keyof EventRows]): unknown => (Array.isArray(column) ? column.slice(0, length) : column.subarray(0, length))
  return Object.fromEntries(Object.entries(rows).map(([name, column]) => [name, cut(column)])) as unknown as EventRows
}

/** A stack in words. */
interface StackText {
  readonly function: string
  readonly text: string
}

/** A row that is held back. */
interface Row {
  /** In `kept`. */
  readonly row: number
  readonly before: number
  readonly after: number
}

/** Gives rows to `sink`, some ten thousand at a time; they are the maker's again after the call. `only`: of these pages, if there are any. */
export class EventRowMaker implements LifeJudge {
  private readonly rows: EventRows
  /** What is held back, in columns: of a large device that is many rows. */
  private kept = newBatch(1 << 10)
  private length = 0
  private gate = new DeviceGate<Row>(
    () => undefined,
    () => {},
  )
  private tables: TraceTables | undefined
  private readonly stacks = new Map<number, StackText>()
  private readonly sink: (rows: EventRows) => void
  private readonly only: ReadonlySet<number>
  private readonly size: number

  constructor(sink: (rows: EventRows) => void, only: ReadonlySet<number> = new Set(), size = 20_000) {
    this.sink = sink
    this.only = only
    this.size = size
    this.rows = roomForRows(size)
  }

  begin(
    _head: TraceHead,
    _rules: KernelRules | undefined,
    _typeOf: (page: DevicePage) => DeviceType,
    certain: (page: DevicePage) => boolean | undefined,
  ): void {
    this.gate = new DeviceGate(certain, (page, { row, before, after }) => this.add(page, this.kept, row, before, after))
  }

  use(tables: TraceTables): void {
    this.tables = tables
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    if (this.only.size > 0 && !this.only.has(page.pfn)) return
    const open = this.gate.open(page)
    let before = page.count
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const after = countAfter(batch, row, before)
      if (open) this.add(page, batch, row, before, after)
      else this.hold(page, batch, row, before, after)
      before = after
    }
  }

  private hold(page: DevicePage, batch: EventBatch, row: number, before: number, after: number): void {
    this.gate.pass(page, () => {
      const { length } = this.kept
      if (length === this.kept.capacity) {
        const bigger = newBatch(length * 2)
        copyRows(this.kept, 0, length, bigger, 0)
        this.kept = bigger
      }
      copyRow(batch, row, this.kept, length)
      this.kept.length = length + 1
      return { row: length, before, after }
    })
  }

  private add(page: DevicePage, batch: EventBatch, row: number, before: number, after: number): void {
    const { rows } = this
    const at = this.length++
    const op = batch.op[row]
    const stack = this.stackOf(batch.stack[row])
    rows.time[at] = BigInt(Math.round(batch.time[row]))
    rows.cpu[at] = batch.cpu[row]
    rows.pid[at] = batch.pid[row]
    rows.comm[at] = this.tables?.comm(batch.pid[row]) ?? null
    rows.pfn[at] = BigInt(page.pfn)
    rows.op[at] = OP_NAMES[op]
    rows.val[at] = batch.val[row]
    rows.ret[at] = hasResult(op) ? batch.ret[row] : null
    rows.before[at] = Number.isNaN(before) ? null : before
    rows.after[at] = Number.isNaN(after) ? null : after
    rows.hint[at] = batch.count[row]
    rows.mapcount[at] = batch.mapcount[row]
    rows.flags[at] = BigInt.asIntN(64, batch.flags[row])
    rows.mt[at] = batch.mt[row]
    rows.context[at] = batch.context[row]
    rows.function[at] = stack === undefined ? null : stack.function
    rows.stack[at] = stack === undefined ? null : stack.text
    if (this.length >= this.size) this.flush()
  }

  /** Equal texts are one string: a table keeps each once. */
  private stackOf(stack: number): StackText | undefined {
    if (stack === 0 || !this.tables) return undefined
    const site = this.tables.site(stack)
    let known = this.stacks.get(site)
    if (known === undefined) {
      const frames = this.tables.siteFrames(site)
      known = { function: frames[0] ?? '', text: frames.join(' < ') }
      this.stacks.set(site, known)
    }
    return known.text === '' ? undefined : known
  }

  private flush(): void {
    if (this.length === 0) return
    this.sink(firstRows(this.rows, this.length))
    this.length = 0
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
