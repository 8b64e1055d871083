/**
 * Holds each page's life to the model: its events must be those of calls that the model allows, one after the other in each
 * task, any number at once. The order between tasks does not matter: each operation's own result was logged.
 */
import type { Letter } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { type CallEvent, CallRuns } from './call-runs.ts'
import { PAGES, roomFor } from './columns.ts'
import type { Finding } from './finding.ts'
import type { Conformance, LifeJudge } from './judge.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { Letters } from './letters.ts'
import type { BreakReason, DevicePage, DeviceType } from './life.ts'
import { FORBIDDEN, type Marking, TOO_MANY } from './markings.ts'
import { Meanings } from './meanings.ts'
import { notInModel } from './not-in-model.ts'
import { Context, type EventBatch, LOW } from './page-event.ts'
import { flagNames } from './page-flags.ts'
import type { TraceHead, TraceTables } from './source.ts'
import { TaskFrames } from './task-frames.ts'

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
  /** What the model has it do next; found out when it is asked for. */
  readonly expected: () => readonly { readonly letter: Letter; readonly chain: readonly string[] }[]
  /** The model may also have the call do no more to the page. */
  readonly mayEnd: boolean
}

/** A life with more unmapped events than this share is not called conforming. */
const UNMAPPED_SHARE = 0.05
/** Rejections that are kept with what they need to be shown; the others are counted. */
const MOST_REJECTIONS = 10_000
const IRQ = Context.hardIrq | Context.softIrq | Context.nmi
/** Tasks of interrupts: by CPU, behind all thread ids. */
const IRQ_TASKS = 2 ** 23

const TYPES: readonly DeviceType[] = ['unknown', 'private', 'coherent', 'fsdax', 'generic', 'p2pdma']
/** The code of 'unknown'. */
const UNTYPED = 1

/** Bits of `marks`. */
const REJECTED = 1
/** Too many ways are possible: nothing can be said. */
const UNKNOWN = 2
/** The page is or was part of a large folio: the model's are of two pages, so neither their counts nor their splits can be compared. */
const LARGE = 4
/** Events may be missing before what follows: a call may be met in its middle. */
const BROKEN = 8

export class HeldToModel implements LifeJudge {
  readonly rejections: Rejection[] = []
  private readonly bookOf: (kernel: string) => RoleBook | undefined
  private book: RoleBook | undefined
  private meanings: Meanings | undefined
  /** PG_head. */
  private head = 0
  private typeOf: (page: DevicePage) => DeviceType = () => 'unknown'
  private tables: TraceTables | undefined
  private letters: Letters | undefined
  private tasks = new TaskFrames(() => [])
  private readonly runs = new CallRuns()
  /** Per page: its events, those that are unmapped, `marks`, the type it was taken for last, the youngest of its runs. */
  private pages: readonly DevicePage[] = []
  /** 1 + the index in `TYPES`; 0: no event of the page was told. */
  private types = new Uint8Array(PAGES)
  private events = new Uint32Array(PAGES)
  private unmapped = new Uint32Array(PAGES)
  private marks = new Uint8Array(PAGES)
  private first = new Int32Array(PAGES)

  /** `bookOf`: the model's book of a preset; undefined where there is none. */
  constructor(bookOf: (kernel: string) => RoleBook | undefined) {
    this.bookOf = bookOf
  }

  begin(
    head: TraceHead,
    rules: KernelRules | undefined,
    typeOf: (page: DevicePage) => DeviceType,
    _certain: (page: DevicePage) => boolean | undefined,
    pages: readonly DevicePage[],
  ): void {
    this.pages = pages
    const book = rules && this.bookOf(rules.kernel)
    this.typeOf = typeOf
    this.head = 1 << flagNames(head.release).indexOf('head')
    this.book = book
    if (!book) return
    this.meanings = new Meanings(book)
    this.tasks = new TaskFrames((frame) => book.named(frame))
  }

  use(tables: TraceTables, letters: Letters): void {
    this.tables = tables
    this.letters = letters
  }

  see(batch: EventBatch): void {
    if (this.book && this.tables && this.letters) this.tasks.see(batch, this.letters.site, this.tables, IRQ)
  }

  run(page: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    const { meanings, letters, tables } = this
    if (!meanings || !letters || !tables) return
    const { index } = page
    if (index >= this.types.length) this.grow(index + 1)
    if (this.types[index] === 0) this.types[index] = UNTYPED
    this.events[index] += to - from
    const type = this.typeOf(page)
    const code = 1 + TYPES.indexOf(type)
    if (code !== this.types[index]) {
      // What it was taken for before says nothing; a call may be under way.
      if (this.events[index] > to - from) this.marks[index] |= BROKEN
      this.forget(index)
      this.types[index] = code
    }
    if (type === 'unknown') return
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const letter = batch.letter[row]
      const meaning = meanings.of(type, letter, letters, tables)
      if (meaning.splits || (batch.flags32[2 * row + LOW] & this.head) !== 0) this.marks[index] |= LARGE
      if (meaning.unmapped) {
        this.unmapped[index]++
        meaning.unmapped.events++
      } else if ((this.marks[index] & (REJECTED | UNKNOWN)) === 0) this.step(index, meanings, meaning.automaton, meaning.symbol, batch, row, letter)
    }
  }

  private grow(need: number): void {
    this.types = roomFor(this.types, need)
    this.events = roomFor(this.events, need)
    this.unmapped = roomFor(this.unmapped, need)
    this.marks = roomFor(this.marks, need)
    this.first = roomFor(this.first, need)
  }

  private forget(index: number): void {
    this.runs.dropAll(this.first[index])
    this.first[index] = 0
  }

  /** One event that belongs to a call. */
  private step(index: number, meanings: Meanings, automaton: number, symbol: number, batch: EventBatch, row: number, letter: number): void {
    const { runs, first } = this
    const irq = batch.context[row] & IRQ
    const task = irq !== 0 ? IRQ_TASKS + batch.cpu[row] * 4 + (irq & Context.softIrq ? 1 : 2) : batch.pid[row]
    const { automata } = meanings
    const markings = automata[automaton]
    let run = 0
    for (let one = first[index]; one !== 0; ) {
      const older = runs.next[one]
      if (runs.task[one] === task) {
        if (runs.automaton[one] === automaton) run = one
        else if (!this.goesOn(meanings, runs.automaton[one], letter)) {
          if (!automata[runs.automaton[one]].mayEnd(runs.marking[one])) {
            this.rejectUnfinished(index, meanings, one)
            return
          }
          first[index] = runs.drop(first[index], one)
        }
      }
      one = older
    }
    let marking = markings.start
    if (run !== 0) marking = runs.marking[run]
    else if ((this.marks[index] & BROKEN) !== 0 || irq !== 0 || this.tasks.alwaysIn(batch.pid[row], markings.automaton.entry, batch.time[row]))
      marking = markings.anywhere
    const next = markings.after(marking, symbol)
    if (next === FORBIDDEN) {
      const { letters } = this
      this.reject(index, meanings, automaton, marking, eventOf(batch, row), run !== 0 && letters ? runs.history(run, letters) : [], false)
      return
    }
    if (next === TOO_MANY) {
      this.marks[index] |= UNKNOWN
      this.forget(index)
      return
    }
    if (markings.isOver(next)) {
      if (run !== 0) first[index] = runs.drop(first[index], run)
      return
    }
    if (run === 0) {
      run = runs.add(task, automaton, first[index])
      first[index] = run
    }
    runs.go(run, next, letter, batch.time[row], batch.pid[row])
  }

  /** A call whose function is still in the task's stack is not over. */
  private goesOn(meanings: Meanings, automaton: number, letter: number): boolean {
    const { letters, tables } = this
    const site = letters?.site[letter] ?? 0
    return site === 0 || !tables || meanings.isWithin(automaton, site, tables)
  }

  private rejectUnfinished(index: number, meanings: Meanings, run: number): void {
    const { runs, letters } = this
    const events = letters ? runs.history(run, letters) : []
    this.reject(index, meanings, runs.automaton[run], runs.marking[run], events[events.length - 1], events.slice(0, -1), true)
  }

  private reject(
    index: number,
    meanings: Meanings,
    automaton: number,
    marking: Marking,
    event: CallEvent,
    before: readonly CallEvent[],
    unfinished: boolean,
  ): void {
    this.forget(index)
    const large = (this.marks[index] & LARGE) !== 0
    this.marks[index] |= large ? UNKNOWN : REJECTED
    if (large || this.rejections.length >= MOST_REJECTIONS) return
    const markings = meanings.automata[automaton]
    const { entry, chains } = markings.automaton
    this.rejections.push({
      page: this.pages[index],
      type: TYPES[this.types[index] - 1],
      event,
      unfinished,
      entry,
      before,
      expected: () => markings.expected(marking).map((letter) => ({ letter, chain: chains[letter.chain] })),
      mayEnd: markings.mayEnd(marking),
    })
  }

  broken(page: DevicePage, why: BreakReason): void {
    // In which order the page's events came is not what is looked at here.
    const { index } = page
    if (index >= this.types.length || this.types[index] === 0 || why === 'search' || why === 'contradiction') return
    this.forget(index)
    this.marks[index] = why === 'lost' ? this.marks[index] | BROKEN : this.marks[index] & ~BROKEN
  }

  end(): void {
    // Calls whose task was seen elsewhere afterwards are over, on whatever page it was.
    const { meanings, runs } = this
    if (!meanings) return
    const { first } = this
    for (let index = 0; index < first.length; index++) {
      if (first[index] === 0 || (this.marks[index] & (REJECTED | UNKNOWN)) !== 0) continue
      // Nearly always there is one.
      for (const run of runs.next[first[index]] === 0 ? [first[index]] : this.oldestFirst(index)) {
        const markings = meanings.automata[runs.automaton[run]]
        if (runs.task[run] >= IRQ_TASKS || markings.mayEnd(runs.marking[run])) continue
        if (!this.tasks.leftAfter(runs.task[run], markings.automaton.entry, runs.lastTime(run))) continue
        this.rejectUnfinished(index, meanings, run)
        break
      }
    }
  }

  private oldestFirst(index: number): number[] {
    const all: number[] = []
    for (let run = this.first[index]; run !== 0; run = this.runs.next[run]) all.unshift(run)
    return all
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
    const { meanings, tables } = this
    if (!meanings || !tables) return undefined
    const sum = { pages: 0, conforming: 0, rejected: 0, unknown: 0, unmapped: 0 }
    for (const page of this.pages) {
      const { index } = page
      const type = this.types[index] ?? 0
      if (type === 0 || !device(page)) continue
      const marks = this.marks[index]
      sum.pages++
      sum.unmapped += this.unmapped[index]
      if ((marks & REJECTED) !== 0) sum.rejected++
      else if ((marks & UNKNOWN) !== 0 || type === UNTYPED || this.unmapped[index] > this.events[index] * UNMAPPED_SHARE) sum.unknown++
      else sum.conforming++
    }
    const sites = [...meanings.unmappedSites.values()].sort((a, b) => b.events - a.events)
    return {
      ...sum,
      rejections: this.rejections,
      unmappedSites: sites.map(({ site, events }) => ({ stack: site === 0 ? [] : tables.siteFrames(site), events })),
    }
  }
}

function eventOf(batch: EventBatch, row: number): CallEvent {
  return { op: batch.op[row], val: batch.val[row], ret: batch.ret[row], time: batch.time[row], pid: batch.pid[row], stack: batch.stack[row] }
}
