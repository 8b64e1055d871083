/**
 * Holds each page's life to the model: its events must be those of calls that the model allows, one after the other in each
 * task, any number at once. Order between tasks does not matter: each operation's own result was logged.
 */
import type { Letter, RoleAutomaton } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { type CallSite, CallsSeen, callSite } from './call-site.ts'
import type { BreakReason, DevicePage, LifeListener } from './life.ts'
import { FORBIDDEN, type Marking, Markings, type SymbolId, TOO_MANY } from './markings.ts'
import { Context, type EventBatch, eventAt, Op, type PageEvent } from './page-event.ts'
import type { TraceTables } from './source.ts'

/** The first thing of a page's life that the model forbids. */
export interface Rejection {
  readonly pfn: number
  readonly type: string
  /** The event; with `unfinished`, the last one of a call that ended too early. */
  readonly event: PageEvent
  /** The call was over although the model has it do more. */
  readonly unfinished: boolean
  /** The function whose call it is in the model. */
  readonly entry: string
  /** What this call had done to the page before, as recorded: the last few. */
  readonly before: readonly PageEvent[]
  /** What the model has it do next. */
  readonly expected: readonly { readonly letter: Letter; readonly chain: readonly string[] }[]
}

/** An event that says nothing to the model. */
export interface Unmapped {
  /** Function names, innermost first. */
  readonly frames: readonly string[]
  readonly why: 'unmodelled' | 'bare' | 'no stack'
  count: number
}

export interface Conformance {
  /** Pages with events. */
  readonly pages: number
  /** Pages every event of which the model allows, and at most 5 % of which are unmapped. */
  readonly conforming: number
  /** Pages whose life the model forbids. */
  readonly rejected: number
  /** Pages of which nothing is said: too many possible runs, or too many unmapped events. */
  readonly unknown: number
  /** Events that no modelled function explains. */
  readonly unmapped: number
  readonly events: number
}

/** A life with more unmapped events than this share is not called conforming. */
const UNMAPPED_SHARE = 0.05
/** Events of a call that are kept to be shown. */
const KEPT = 12
/** Rejections that are kept with what they need to be shown; the others are counted. */
const MOST_REJECTIONS = 200

/** What an event is to the model: the same for all events of one site, operation, value and result. */
interface Meaning {
  readonly site: CallSite
  readonly markings: Markings | undefined
  readonly symbol: SymbolId
}

interface Run {
  readonly task: number
  readonly markings: Markings
  marking: Marking
  readonly history: PageEvent[]
  /** The task's site when the event was logged. */
  site: number
}

interface Life {
  runs: Run[]
  events: number
  unmapped: number
  rejected: boolean
  unknown: boolean
  /** The page's type is known, and with it what the model says of it. */
  typed: boolean
  /** Events may be missing before what follows: a call may be met in its middle. */
  broken: boolean
}

/** How an IRQ's events are told apart from the task's it interrupts: by CPU, behind all thread ids. */
const IRQ_TASKS = 2 ** 23

export class HeldToModel implements LifeListener {
  readonly rejections: Rejection[] = []
  private readonly book: RoleBook
  private readonly typeOf: (page: DevicePage) => string | undefined
  private tables: TraceTables | undefined
  private readonly lives: (Life | undefined)[] = []
  private readonly meanings = new Map<string, Map<number, Meaning>>()
  private readonly seen = new CallsSeen()
  private readonly learned = new Set<number>()
  private readonly markings = new Map<RoleAutomaton, Markings>()
  private readonly unmappedSites = new Map<number, Unmapped>()
  /** For each thread, functions that were in all its stacks so far, and when each one left. */
  private readonly constant = new Map<number, { site: number; names: Set<string>; readonly left: Map<string, number> }>()
  private readonly lastOf = new Map<number, { time: number; site: number }>()

  constructor(book: RoleBook, typeOf: (page: DevicePage) => string | undefined) {
    this.book = book
    this.typeOf = typeOf
  }

  /** The merged events before they are sorted by page, in the order of the recording: what each task was seen to do, and when. */
  see(batch: EventBatch, tables: TraceTables): void {
    this.tables = tables
    for (let row = 0; row < batch.length; row++) {
      if (batch.context[row] & (Context.hardIrq | Context.softIrq | Context.nmi)) continue
      const stack = batch.stack[row]
      if (stack === 0) continue
      const pid = batch.pid[row]
      const site = tables.site(stack)
      const last = this.lastOf.get(pid)
      if (last) {
        last.time = batch.time[row]
        if (last.site === site) continue
        last.site = site
      } else this.lastOf.set(pid, { time: batch.time[row], site })
      this.noteFrames(pid, site, batch.time[row], tables)
    }
  }

  private noteFrames(pid: number, site: number, time: number, tables: TraceTables): void {
    const frames = tables.siteFrames(site)
    const known = this.constant.get(pid)
    if (!known) {
      this.constant.set(pid, { site, names: new Set(frames), left: new Map() })
      return
    }
    if (known.names.size === 0) return
    for (const name of known.names)
      if (!frames.includes(name)) {
        known.names.delete(name)
        known.left.set(name, time)
      }
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    const type = this.typeOf(page)
    let life = this.lives[page.index]
    if (!life) {
      life = { runs: [], events: 0, unmapped: 0, rejected: false, unknown: false, typed: false, broken: false }
      this.lives[page.index] = life
    }
    life.typed = type !== undefined
    for (let i = from; i < to; i++) this.event(life, page, type, batch, rows[i])
  }

  private event(life: Life, page: DevicePage, type: string | undefined, batch: EventBatch, row: number): void {
    life.events++
    if (type === undefined) return
    const meaning = this.meaning(type, batch, row)
    if (!meaning.markings) {
      life.unmapped++
      this.noteUnmapped(batch, row, meaning)
      return
    }
    if (life.rejected || life.unknown) return
    const { markings, symbol } = meaning
    const irq = batch.context[row] & (Context.hardIrq | Context.softIrq | Context.nmi)
    const task = irq ? IRQ_TASKS + batch.cpu[row] * 4 + (irq & Context.softIrq ? 1 : 2) : batch.pid[row]
    const site = batch.stack[row] === 0 || !this.tables ? 0 : this.tables.site(batch.stack[row])
    let run: Run | undefined
    for (const one of life.runs) {
      if (one.task !== task) continue
      if (one.markings === markings) run = one
      else if (!this.goesOn(one, site)) {
        if (!one.markings.mayEnd(one.marking)) {
          this.reject(life, page, type as string, one.markings, one.marking, one.history[one.history.length - 1], one.history.slice(0, -1), true)
          return
        }
        one.marking = TOO_MANY
      }
    }
    if (life.runs.some((one) => one.marking === TOO_MANY && one !== run)) life.runs = life.runs.filter((one) => one.marking !== TOO_MANY || one === run)
    if (!run) {
      run = { task, markings, marking: this.mayBeInside(life, batch, row, markings) ? markings.anywhere : markings.start, history: [], site }
      life.runs.push(run)
    }
    const next = markings.after(run.marking, symbol)
    if (next === FORBIDDEN) {
      this.reject(life, page, type as string, markings, run.marking, eventAt(batch, row), run.history, false)
      return
    }
    if (next === TOO_MANY) {
      life.unknown = true
      life.runs = []
      return
    }
    run.marking = next
    run.site = site
    if (run.history.length === KEPT) run.history.shift()
    run.history.push(eventAt(batch, row))
  }

  /** A call whose function is still in the task's stack is not over. */
  private goesOn(run: Run, site: number): boolean {
    if (site === 0 || !this.tables) return true
    const names = this.tables.siteFrames(site)
    return names.some((name) => this.book.named(name).includes(run.markings.automaton.entry))
  }

  /** Whether the call may have begun before what is known of the page: then the task was seen nowhere else since the recording began. */
  private mayBeInside(life: Life, batch: EventBatch, row: number, markings: Markings): boolean {
    if (life.broken) return true
    const { entry } = markings.automaton
    if (batch.context[row] & (Context.hardIrq | Context.softIrq | Context.nmi)) return true
    const known = this.constant.get(batch.pid[row])
    if (!known) return true
    for (const [name, time] of known.left) if (time <= batch.time[row] && this.book.named(name).includes(entry)) return false
    for (const name of known.names) if (this.book.named(name).includes(entry)) return true
    for (const name of known.left.keys()) if (this.book.named(name).includes(entry)) return true
    return false
  }

  private meaning(type: string, batch: EventBatch, row: number): Meaning {
    const { tables } = this
    const stack = batch.stack[row]
    const site = stack === 0 || !tables ? 0 : tables.site(stack)
    let ofType = this.meanings.get(type)
    if (!ofType) {
      ofType = new Map()
      this.meanings.set(type, ofType)
    }
    const op = batch.op[row]
    const val = batch.val[row]
    const ret = op === Op.modAndReturn ? Math.max(-2, Math.min(batch.ret[row], 3000)) : batch.ret[row] !== 0 ? 1 : 0
    const key = ((site * 8 + op) * 8192 + (val + 4096)) * 4096 + (ret + 8)
    let meaning = Number.isSafeInteger(key) && val > -4096 && val < 4096 ? ofType.get(key) : undefined
    if (meaning) return meaning
    const frames = site === 0 || !tables ? [] : tables.siteFrames(site)
    if (!this.learned.has(site)) {
      this.learned.add(site)
      const { version } = this.seen
      this.seen.learn(this.book, frames)
      if (this.seen.version !== version) {
        // What was taken to be inlined is not.
        for (const one of this.meanings.values()) one.clear()
      }
    }
    const found = callSite(this.book, type, frames)
    let markings: Markings | undefined
    if (found.mapped) {
      markings = this.markings.get(found.automaton)
      if (!markings) {
        markings = new Markings(found.automaton)
        this.markings.set(found.automaton, markings)
      }
    }
    meaning = { site: found, markings, symbol: found.mapped && markings ? markings.symbol(found, { op, val, ret: batch.ret[row] }, this.seen) : 0 }
    ofType.set(key, meaning)
    return meaning
  }

  private reject(
    life: Life,
    page: DevicePage,
    type: string,
    markings: Markings,
    marking: Marking,
    event: PageEvent,
    before: readonly PageEvent[],
    unfinished: boolean,
  ): void {
    life.rejected = true
    life.runs = []
    if (this.rejections.length >= MOST_REJECTIONS) return
    const { automaton } = markings
    this.rejections.push({
      pfn: page.pfn,
      type,
      event,
      unfinished,
      entry: automaton.entry,
      before,
      expected: markings.expected(marking).map((letter) => ({ letter, chain: automaton.chains[letter.chain] })),
    })
  }

  private noteUnmapped(batch: EventBatch, row: number, meaning: Meaning): void {
    const stack = batch.stack[row]
    const site = stack === 0 || !this.tables ? 0 : this.tables.site(stack)
    const known = this.unmappedSites.get(site)
    if (known) {
      known.count++
      return
    }
    const why = meaning.site.mapped ? 'unmodelled' : meaning.site.why
    this.unmappedSites.set(site, { frames: site === 0 || !this.tables ? [] : this.tables.siteFrames(site), why, count: 1 })
  }

  broken(page: DevicePage, why: BreakReason): void {
    const life = this.lives[page.index]
    // The order of a page's events is not what is looked at here.
    if (!life || why === 'search' || why === 'contradiction') return
    life.runs = []
    life.broken = why === 'lost'
  }

  end(): void {
    // Open calls stay open: the recording ended before they did.
  }

  /** Events no modelled function explains, by stack, the most frequent first. */
  get unmapped(): readonly Unmapped[] {
    return [...this.unmappedSites.values()].sort((a, b) => b.count - a.count)
  }

  /** `isDevice`: the pages that are told of; others were looked at before it was known what they are. */
  conformance(isDevice: (index: number) => boolean): Conformance {
    const sum = { pages: 0, conforming: 0, rejected: 0, unknown: 0, unmapped: 0, events: 0 }
    this.lives.forEach((life, index) => {
      if (!life || !isDevice(index)) return
      sum.pages++
      sum.events += life.events
      sum.unmapped += life.unmapped
      if (life.rejected) sum.rejected++
      else if (life.unknown || !life.typed || life.unmapped > life.events * UNMAPPED_SHARE) sum.unknown++
      else sum.conforming++
    })
    return sum
  }
}
