/**
 * Holds each page's life to the model: its events must be those of calls that the model allows, one after the other in each
 * task, any number at once. The order between tasks does not matter: each operation's own result was logged.
 */
import type { Letter, RoleAutomaton } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { type CallSite, CallsSeen, callSite } from './call-site.ts'
import type { Finding } from './finding.ts'
import type { Conformance, LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { BreakReason, DevicePage, DeviceType } from './life.ts'
import { FORBIDDEN, type Marking, Markings, type SymbolId, TOO_MANY } from './markings.ts'
import { notInModel } from './not-in-model.ts'
import { Context, type EventBatch, LOW, Op } from './page-event.ts'
import { flagNames } from './page-flags.ts'
import type { TraceHead, TraceTables } from './source.ts'
import { TaskFrames } from './task-frames.ts'

/** One event of a call, as far as it is shown. */
export interface CallEvent {
  readonly op: number
  readonly val: number
  readonly ret: number
  readonly time: number
  readonly pid: number
  readonly stack: number
}

/** The first thing of a page's life that the model forbids. */
export interface Rejection {
  readonly page: DevicePage
  readonly type: DeviceType
  /** The event; with `unfinished`, the last one of a call that ended too early. */
  readonly event: CallEvent
  /** The call was over although the model has it do more. */
  readonly unfinished: boolean
  /** The function whose call it is in the model. */
  readonly entry: string
  /** What this call had done to the page before, as recorded: the last few. */
  readonly before: readonly CallEvent[]
  /** What the model has it do next. */
  readonly expected: readonly { readonly letter: Letter; readonly chain: readonly string[] }[]
}

/** A life with more unmapped events than this share is not called conforming. */
const UNMAPPED_SHARE = 0.05
/** Events of a call that are kept to be shown, and the numbers each takes. */
const KEPT = 6
const NUMBERS = 4
/** Values and results are kept within this. */
const WIDE = 2 ** 20
/** Rejections that are kept with what they need to be shown; the others are counted. */
const MOST_REJECTIONS = 10_000
const IRQ = Context.hardIrq | Context.softIrq | Context.nmi
/** Tasks of interrupts: by CPU, behind all thread ids. */
const IRQ_TASKS = 2 ** 23

/** What an event is to the model: the same for all events of one site, operation, value and result. */
interface Meaning {
  readonly site: CallSite
  /** The call it belongs to; undefined: unmapped. */
  readonly markings: Markings | undefined
  readonly symbol: SymbolId
  /** It is of a large folio that is split. */
  readonly splits: boolean
}

interface Asked {
  readonly type: string
  readonly val: number
  readonly ret: number
  readonly meaning: Meaning
}

/** Functions that take large folios apart. Source: mm/huge_memory.c, mm/migrate_device.c of 5.10 to 7.3. */
const SPLITS = /^(__folio_split|__folio_freeze_and_split_unmapped|folio_split_unmapped|__split_unmapped_folio|__split_huge_p[mu]d\w*|migrate_vma_split_\w+)$/

/** A call under way, or one that may have ended. */
interface Run {
  task: number
  markings: Markings
  marking: Marking
  /** Events so far; the last `KEPT` are in `kept`. Runs come with every event and go: they are used again, and hold no objects. */
  events: number
  readonly kept: number[]
}

interface Life {
  readonly page: DevicePage
  runs: Run[]
  events: number
  unmapped: number
  type: DeviceType
  rejected: boolean
  unknown: boolean
  /** The page is or was part of a large folio: the model's are of two pages, so neither their counts nor their splits can be compared. */
  large: boolean
  /** Events may be missing before what follows: a call may be met in its middle. */
  broken: boolean
}

export class HeldToModel implements LifeJudge {
  readonly rejections: Rejection[] = []
  private readonly bookOf: (kernel: string) => RoleBook | undefined
  private book: RoleBook | undefined
  /** PG_head. */
  private head = 0
  private typeOf: (page: DevicePage) => DeviceType = () => 'unknown'
  private tables: TraceTables | undefined
  private tasks = new TaskFrames(() => [])
  private readonly lives: (Life | undefined)[] = []
  private readonly meanings = new Map<string, Map<number, Meaning>>()
  private readonly seen = new CallsSeen()
  private readonly learned = new Set<number>()
  private readonly markings = new Map<RoleAutomaton, Markings>()
  private readonly unmappedSites = new Map<number, { readonly why: string; events: number }>()

  /** `bookOf`: the model's book of a preset; undefined where there is none. */
  constructor(bookOf: (kernel: string) => RoleBook | undefined) {
    this.bookOf = bookOf
  }

  begin(head: TraceHead, rules: KernelRules | undefined, typeOf: (page: DevicePage) => DeviceType): void {
    this.book = rules && this.bookOf(rules.kernel)
    this.typeOf = typeOf
    this.head = 1 << flagNames(head.release).indexOf('head')
    const { book } = this
    if (book) this.tasks = new TaskFrames((frame) => book.named(frame))
  }

  use(tables: TraceTables): void {
    this.tables = tables
  }

  see(batch: EventBatch): void {
    if (this.book && this.tables) this.tasks.see(batch, this.tables, IRQ)
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    if (!this.book) return
    let life = this.lives[page.index]
    if (!life) {
      life = { page, runs: [], events: 0, unmapped: 0, type: 'unknown', rejected: false, unknown: false, large: false, broken: false }
      this.lives[page.index] = life
    }
    const type = this.typeOf(page)
    if (type !== life.type) {
      // What it was taken for before says nothing; a call may be under way.
      if (life.events > 0) life.broken = true
      life.runs = []
      life.type = type
    }
    for (let i = from; i < to; i++) this.event(this.book, life, batch, rows[i])
  }

  private event(book: RoleBook, life: Life, batch: EventBatch, row: number): void {
    life.events++
    if (life.type === 'unknown') return
    const stack = batch.stack[row]
    const site = stack === 0 || !this.tables ? 0 : this.tables.site(stack)
    const { site: call, markings, symbol, splits } = this.meaning(book, life.type, site, batch.op[row], batch.val[row], batch.ret[row])
    if (splits || (batch.flags32[2 * row + LOW] & this.head) !== 0) life.large = true
    if (!markings) {
      life.unmapped++
      this.noteUnmapped(site, call.mapped ? '' : call.why)
      return
    }
    if (life.rejected || life.unknown) return
    const irq = batch.context[row] & IRQ
    const task = irq !== 0 ? IRQ_TASKS + batch.cpu[row] * 4 + (irq & Context.softIrq ? 1 : 2) : batch.pid[row]
    let run: Run | undefined
    for (let i = life.runs.length - 1; i >= 0; i--) {
      const one = life.runs[i]
      if (one.task !== task) continue
      if (one.markings === markings) run = one
      else if (!this.goesOn(book, one, site)) {
        if (!one.markings.mayEnd(one.marking)) {
          this.rejectUnfinished(life, one)
          return
        }
        this.drop(life.runs, i)
      }
    }
    const marking = run ? run.marking : this.mayBeInside(life, irq !== 0, batch.pid[row], batch.time[row], markings) ? markings.anywhere : markings.start
    const next = markings.after(marking, symbol)
    if (next === FORBIDDEN) {
      this.reject(life, markings, marking, eventOf(batch, row), run ? history(run) : [], false)
      return
    }
    if (next === TOO_MANY) {
      life.unknown = true
      life.runs = []
      return
    }
    if (markings.isOver(next)) {
      if (run) this.drop(life.runs, life.runs.indexOf(run))
      return
    }
    if (!run) {
      run = this.spare.pop() ?? { task, markings, marking: next, events: 0, kept: [0.5, 0.5, 0.5, 0.5] }
      run.task = task
      run.markings = markings
      run.events = 0
      // Most pages have one at a time: an array made by pushing keeps room for sixteen more.
      if (life.runs.length === 0) life.runs = [run]
      else life.runs.push(run)
    }
    run.marking = next
    const at = (run.events++ % KEPT) * NUMBERS
    const { kept } = run
    kept[at] = batch.op[row] + 8 * (within(batch.val[row]) + WIDE) + 16 * WIDE * (within(batch.ret[row]) + WIDE)
    kept[at + 1] = batch.time[row]
    kept[at + 2] = batch.pid[row]
    kept[at + 3] = batch.stack[row]
  }

  private readonly spare: Run[] = []

  private drop(runs: Run[], i: number): void {
    this.spare.push(runs[i])
    for (let k = i + 1; k < runs.length; k++) runs[k - 1] = runs[k]
    runs.pop()
  }

  private rejectUnfinished(life: Life, run: Run): void {
    const events = history(run)
    this.reject(life, run.markings, run.marking, events[events.length - 1], events.slice(0, -1), true)
  }

  /** A call whose function is still in the task's stack is not over. */
  private goesOn(book: RoleBook, run: Run, site: number): boolean {
    if (site === 0 || !this.tables) return true
    const { entry } = run.markings.automaton
    return this.tables.siteFrames(site).some((name) => book.named(name).includes(entry))
  }

  /** Whether the call may have begun before what is known of the page: then the task was seen nowhere else since the recording began. */
  private mayBeInside(life: Life, irq: boolean, pid: number, time: number, markings: Markings): boolean {
    return life.broken || irq || this.tasks.alwaysIn(pid, markings.automaton.entry, time)
  }

  /** The last meaning asked for, by site and operation: mostly it is asked for again. */
  private lastMeanings: (Asked | undefined)[] = []

  private meaning(book: RoleBook, type: string, site: number, op: number, val: number, ret: number): Meaning {
    const last = this.lastMeanings[site * 8 + op]
    if (last !== undefined && last.val === val && last.ret === ret && last.type === type) return last.meaning
    const meaning = this.findMeaning(book, type, site, op, val, ret)
    this.lastMeanings[site * 8 + op] = { type, val, ret, meaning }
    return meaning
  }

  private findMeaning(book: RoleBook, type: string, site: number, op: number, val: number, ret: number): Meaning {
    let ofType = this.meanings.get(type)
    if (!ofType) {
      ofType = new Map()
      this.meanings.set(type, ofType)
    }
    // Results are told apart as far as any letter does.
    const result = op === Op.modAndReturn ? Math.max(-2, Math.min(ret, 1100)) : ret === 0 ? 0 : 1
    const key = ((site * 8 + op) * 2048 + result + 2) * 65536 + (val & 0xffff)
    let meaning = ofType.get(key)
    if (meaning) return meaning
    const frames = site === 0 || !this.tables ? [] : this.tables.siteFrames(site)
    if (!this.learned.has(site)) {
      this.learned.add(site)
      const { version } = this.seen
      this.seen.learn(book, frames)
      // What was taken to be inlined may not be.
      if (this.seen.version !== version) {
        for (const one of this.meanings.values()) one.clear()
        this.lastMeanings = []
      }
    }
    const found = callSite(book, type, frames)
    let markings: Markings | undefined
    if (found.mapped) {
      markings = this.markings.get(found.automaton)
      if (!markings) {
        markings = new Markings(found.automaton)
        this.markings.set(found.automaton, markings)
      }
    }
    meaning = {
      site: found,
      markings,
      symbol: found.mapped && markings ? markings.symbol(found, { op, val, ret }, this.seen) : 0,
      splits: frames.some((name) => SPLITS.test(name)),
    }
    ofType.set(key, meaning)
    return meaning
  }

  private reject(life: Life, markings: Markings, marking: Marking, event: CallEvent, before: readonly CallEvent[], unfinished: boolean): void {
    life.runs = []
    life.rejected = !life.large
    life.unknown = life.large
    if (life.large) return
    if (this.rejections.length >= MOST_REJECTIONS) return
    const { automaton } = markings
    this.rejections.push({
      page: life.page,
      type: life.type,
      event,
      unfinished,
      entry: automaton.entry,
      before,
      expected: markings.expected(marking).map((letter) => ({ letter, chain: automaton.chains[letter.chain] })),
    })
  }

  private noteUnmapped(site: number, why: string): void {
    const known = this.unmappedSites.get(site)
    if (known) known.events++
    else this.unmappedSites.set(site, { why, events: 1 })
  }

  broken(page: DevicePage, why: BreakReason): void {
    const life = this.lives[page.index]
    // In which order the page's events came is not what is looked at here.
    if (!life || why === 'search' || why === 'contradiction') return
    life.runs = []
    life.broken = why === 'lost'
  }

  end(): void {
    // Calls whose task was seen elsewhere afterwards are over, on whatever page it was.
    if (!this.book || !this.tables) return
    for (const life of this.lives) {
      if (!life || life.rejected || life.unknown) continue
      for (const run of life.runs) {
        if (run.task >= IRQ_TASKS || run.markings.mayEnd(run.marking)) continue
        const last = run.kept[((run.events - 1) % KEPT) * NUMBERS + 1]
        if (!this.tasks.leftAfter(run.task, run.markings.automaton.entry, last)) continue
        this.rejectUnfinished(life, run)
        break
      }
    }
  }

  findings(device: (page: { readonly index: number; readonly pfn: number }) => boolean): readonly Finding[] {
    if (!this.book || !this.tables) return []
    return notInModel(
      this.rejections.filter(({ page }) => device(page)),
      this.book.kernel,
      this.tables,
    )
  }

  conformance(device: (page: { readonly index: number; readonly pfn: number }) => boolean): Conformance | undefined {
    const { book, tables } = this
    if (!book || !tables) return undefined
    const sum = { pages: 0, conforming: 0, rejected: 0, unknown: 0, unmapped: 0 }
    for (const life of this.lives) {
      if (!life || !device(life.page)) continue
      sum.pages++
      sum.unmapped += life.unmapped
      if (life.rejected) sum.rejected++
      else if (life.unknown || life.type === 'unknown' || life.unmapped > life.events * UNMAPPED_SHARE) sum.unknown++
      else sum.conforming++
    }
    const sites = [...this.unmappedSites].sort((a, b) => b[1].events - a[1].events)
    return {
      ...sum,
      rejections: this.rejections,
      unmappedSites: sites.map(([site, { events }]) => ({ stack: site === 0 ? [] : tables.siteFrames(site), events })),
    }
  }
}

function within(value: number): number {
  return Math.max(-WIDE, Math.min(WIDE - 1, value))
}

/** The last events of a run, in order. */
function history({ events, kept }: Run): CallEvent[] {
  const found: CallEvent[] = []
  for (let i = Math.max(0, events - KEPT); i < events; i++) {
    const at = (i % KEPT) * NUMBERS
    const packed = kept[at]
    found.push({
      op: packed % 8,
      val: (Math.floor(packed / 8) % (2 * WIDE)) - WIDE,
      ret: Math.floor(packed / (16 * WIDE)) - WIDE,
      time: kept[at + 1],
      pid: kept[at + 2],
      stack: kept[at + 3],
    })
  }
  return found
}

function eventOf(batch: EventBatch, row: number): CallEvent {
  return { op: batch.op[row], val: batch.val[row], ret: batch.ret[row], time: batch.time[row], pid: batch.pid[row], stack: batch.stack[row] }
}
