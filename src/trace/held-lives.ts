/**
 * Holds each page's life to the model: its events must be those of calls that the model allows, one after the other in each
 * task, any number at once. The order between tasks does not matter: each operation's own result was logged.
 * Pages are numbers here, and what is found is plain data: it may be done in another thread.
 */
import type { Letter } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { type CallEvent, CallRuns } from './call-runs.ts'
import { PAGES, roomFor } from './columns.ts'
import type { LetterColumns } from './letters.ts'
import type { BreakReason, DeviceType } from './life.ts'
import { FORBIDDEN, type Marking, TOO_MANY } from './markings.ts'
import { Meanings } from './meanings.ts'
import { Context, type EventBatch, LOW } from './page-event.ts'
import { flagNames } from './page-flags.ts'
import type { SiteFrames } from './source.ts'
import { TaskFrames } from './task-frames.ts'

/** What is looked at of a batch. */
export type LifeRows = Pick<EventBatch, 'length' | 'letter' | 'flags32' | 'context' | 'cpu' | 'pid' | 'time'>

/** The first thing of a page's life that the model forbids. */
export interface HeldRejection {
  /** The page's index. */
  readonly page: number
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
  /** The model may also have the call do no more to the page. */
  readonly mayEnd: boolean
}

/** Rejections that are kept with what they need to be shown; the others are counted. */
const MOST_REJECTIONS = 10_000
const IRQ = Context.hardIrq | Context.softIrq | Context.nmi
/** Tasks of interrupts: by CPU, behind all thread ids. */
const IRQ_TASKS = 2 ** 23

/** What was found, by the pages' index. */
export interface HeldResult {
  /** `typeCode`; 0: no event of the page was told. */
  readonly types: Uint8Array
  readonly events: Uint32Array
  /** Events whose stack maps to no modelled function. */
  readonly unmapped: Uint32Array
  /** `REJECTED`, `UNKNOWN` and others. */
  readonly marks: Uint8Array
  readonly rejections: readonly HeldRejection[]
  /** Sites of unmapped events, in order of their first. */
  readonly unmappedSites: readonly { readonly site: number; readonly events: number }[]
}

const TYPES: readonly DeviceType[] = ['unknown', 'private', 'coherent', 'fsdax', 'generic', 'p2pdma']
const CODES = { unknown: 1, private: 2, coherent: 3, fsdax: 4, generic: 5, p2pdma: 6 } as const satisfies Record<DeviceType, number>
/** A type as a number from 1. */
export function typeCode(type: DeviceType): number {
  return CODES[type]
}

/** The type of a code. */
export function typeOfCode(code: number): DeviceType {
  return TYPES[code - 1]
}

/** The code of 'unknown'. */
export const UNTYPED = 1

/** Bits of `marks`. */
export const REJECTED = 1
/** Too many ways are possible: nothing can be said. */
export const UNKNOWN = 2
/** The page is or was part of a large folio: the model's are of two pages, so neither their counts nor their splits can be compared. */
const LARGE = 4
/** Events may be missing before what follows: a call may be met in its middle. */
const BROKEN = 8

export class HeldLives {
  private readonly rejections: HeldRejection[] = []
  private readonly meanings: Meanings
  /** PG_head. */
  private readonly head: number
  private readonly tasks: TaskFrames
  private readonly runs = new CallRuns()
  private letters: LetterColumns | undefined
  /** The type that was told last, and its code. */
  private lastType: DeviceType = 'unknown'
  private lastCode = UNTYPED
  private sites: SiteFrames = { siteFrames: () => [] }
  /** Per page: its events, those that are unmapped, `marks`, the type it was taken for last, the youngest of its runs. */
  private types = new Uint8Array(PAGES)
  private events = new Uint32Array(PAGES)
  private unmapped = new Uint32Array(PAGES)
  private marks = new Uint8Array(PAGES)
  private first = new Int32Array(PAGES)

  /** `release`: of the kernel that was traced. */
  constructor(book: RoleBook, release: string | undefined) {
    this.head = 1 << flagNames(release).indexOf('head')
    this.meanings = new Meanings(book)
    this.tasks = new TaskFrames((frame) => book.named(frame))
  }

  /** What the letters and sites of rows mean from here on. */
  use(sites: SiteFrames, letters: LetterColumns): void {
    this.sites = sites
    this.letters = letters
  }

  /** The events of a batch as they were recorded, of all pages, before they are told page by page. */
  see(batch: LifeRows): void {
    if (this.letters) this.tasks.see(batch, this.letters.site, this.sites, IRQ)
  }

  /** The next events of a page, which is taken for one of the type. */
  run(index: number, type: DeviceType, batch: LifeRows, rows: Uint32Array, from: number, to: number): void {
    const { meanings, letters } = this
    if (!letters) return
    if (index >= this.types.length) this.grow(index + 1)
    if (this.types[index] === 0) this.types[index] = UNTYPED
    this.events[index] += to - from
    const code = type === this.lastType ? this.lastCode : this.code(type)
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
      const meaning = meanings.of(type, letter, letters, this.sites)
      if (meaning.splits || (batch.flags32[2 * row + LOW] & this.head) !== 0) this.marks[index] |= LARGE
      if (meaning.unmapped) {
        this.unmapped[index]++
        meaning.unmapped.events++
      } else if ((this.marks[index] & (REJECTED | UNKNOWN)) === 0) this.step(index, letters, meaning.automaton, meaning.symbol, batch, row, letter)
    }
  }

  private code(type: DeviceType): number {
    this.lastType = type
    this.lastCode = typeCode(type)
    return this.lastCode
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
  private step(index: number, letters: LetterColumns, automaton: number, symbol: number, batch: LifeRows, row: number, letter: number): void {
    const { runs, first, meanings } = this
    const irq = batch.context[row] & IRQ
    const task = irq !== 0 ? IRQ_TASKS + batch.cpu[row] * 4 + (irq & Context.softIrq ? 1 : 2) : batch.pid[row]
    const { automata } = meanings
    const markings = automata[automaton]
    let run = 0
    for (let one = first[index]; one !== 0; ) {
      const older = runs.next[one]
      if (runs.task[one] === task) {
        if (runs.automaton[one] === automaton) run = one
        else if (!this.goesOn(letters, runs.automaton[one], letter)) {
          if (!automata[runs.automaton[one]].mayEnd(runs.marking[one])) {
            this.rejectUnfinished(index, one)
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
      const event = eventOf(letters, letter, batch.time[row], batch.pid[row])
      this.reject(index, automaton, marking, event, run !== 0 ? runs.history(run, letters) : [], false)
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
  private goesOn(letters: LetterColumns, automaton: number, letter: number): boolean {
    const site = letters.site[letter]
    return site === 0 || this.meanings.isWithin(automaton, site, this.sites)
  }

  private rejectUnfinished(index: number, run: number): void {
    const { runs, letters } = this
    const events = letters ? runs.history(run, letters) : []
    this.reject(index, runs.automaton[run], runs.marking[run], events[events.length - 1], events.slice(0, -1), true)
  }

  private reject(index: number, automaton: number, marking: Marking, event: CallEvent, before: readonly CallEvent[], unfinished: boolean): void {
    this.forget(index)
    const large = (this.marks[index] & LARGE) !== 0
    this.marks[index] |= large ? UNKNOWN : REJECTED
    if (large || this.rejections.length >= MOST_REJECTIONS) return
    const markings = this.meanings.automata[automaton]
    const { entry, chains } = markings.automaton
    this.rejections.push({
      page: index,
      type: typeOfCode(this.types[index]),
      event,
      unfinished,
      entry,
      before,
      expected: markings.expected(marking).map((letter) => ({ letter, chain: chains[letter.chain] })),
      mayEnd: markings.mayEnd(marking),
    })
  }

  /** What was known of a page is void. */
  broken(index: number, why: BreakReason): void {
    // In which order the page's events came is not what is looked at here.
    if (index >= this.types.length || this.types[index] === 0 || why === 'search' || why === 'contradiction') return
    this.forget(index)
    this.marks[index] = why === 'lost' ? this.marks[index] | BROKEN : this.marks[index] & ~BROKEN
  }

  /** No more events. */
  end(): void {
    // Calls whose task was seen elsewhere afterwards are over, on whatever page it was.
    const { meanings, runs, first } = this
    for (let index = 0; index < first.length; index++) {
      if (first[index] === 0 || (this.marks[index] & (REJECTED | UNKNOWN)) !== 0) continue
      // Nearly always there is one.
      for (const run of runs.next[first[index]] === 0 ? [first[index]] : this.oldestFirst(index)) {
        const markings = meanings.automata[runs.automaton[run]]
        if (runs.task[run] >= IRQ_TASKS || markings.mayEnd(runs.marking[run])) continue
        if (!this.tasks.leftAfter(runs.task[run], markings.automaton.entry, runs.lastTime(run))) continue
        this.rejectUnfinished(index, run)
        break
      }
    }
  }

  private oldestFirst(index: number): number[] {
    const all: number[] = []
    for (let run = this.first[index]; run !== 0; run = this.runs.next[run]) all.unshift(run)
    return all
  }

  /** What was found. Not to be told more afterwards. */
  result(): HeldResult {
    const { types, events, unmapped, marks, rejections } = this
    const unmappedSites = [...this.meanings.unmappedSites.values()].map(({ site, events: times }) => ({ site, events: times }))
    return { types, events, unmapped, marks, rejections, unmappedSites }
  }
}

function eventOf({ op, val, ret, stack }: LetterColumns, letter: number, time: number, pid: number): CallEvent {
  return { op: op[letter], val: val[letter], ret: ret[letter], time, pid, stack: stack[letter] }
}
