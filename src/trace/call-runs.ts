/** Calls under way on pages, in columns: they come with nearly every event and go with the next, so they are used again and hold no objects. */
import { PAGES, roomFor } from './columns.ts'
import type { LetterColumns } from './letters.ts'
import type { Marking } from './markings.ts'

/** One event of a call, as far as it is shown. */
export interface CallEvent {
  readonly op: number
  readonly val: number
  readonly ret: number
  readonly time: number
  readonly pid: number
  readonly stack: number
}

/** Events of a call that are kept to be shown. */
const KEPT = 6

/** A pool of runs. Each page's are a list, the youngest first; 0 is its end. */
export class CallRuns {
  /** Who is in the call: a thread id, or an interrupt's number. */
  task = new Int32Array(PAGES)
  /** Which automaton it is a run of, by the user's number. */
  automaton = new Int32Array(PAGES)
  marking = new Int32Array(PAGES)
  /** The next older run of the page. */
  next = new Int32Array(PAGES)
  /** Events so far; the last `KEPT` are remembered. */
  private events = new Int32Array(PAGES)
  /** By the event's place among those that are kept, then by the run: most calls have one event, and what lies behind it is never touched. */
  private readonly letters = Array.from({ length: KEPT }, () => new Int32Array(PAGES))
  private readonly times = Array.from({ length: KEPT }, () => new Float64Array(PAGES))
  private readonly pids = Array.from({ length: KEPT }, () => new Int32Array(PAGES))
  private free = 0
  private size = 1

  /** A run without events, in front of `next`. */
  add(task: number, automaton: number, next: number): number {
    let run = this.free
    if (run !== 0) this.free = this.next[run]
    else {
      run = this.size++
      if (run >= this.task.length) this.grow()
    }
    this.task[run] = task
    this.automaton[run] = automaton
    this.events[run] = 0
    this.next[run] = next
    return run
  }

  /** Takes a run out of the list that begins with `first`; gives what it begins with then. */
  drop(first: number, run: number): number {
    const { next } = this
    const after = next[run]
    next[run] = this.free
    this.free = run
    if (first === run) return after
    let before = first
    while (next[before] !== run) before = next[before]
    next[before] = after
    return first
  }

  /** Gives back a whole list. */
  dropAll(first: number): void {
    for (let run = first; run !== 0; ) run = this.drop(run, run)
  }

  go(run: number, marking: Marking, letter: number, time: number, pid: number): void {
    this.marking[run] = marking
    const place = this.events[run]++ % KEPT
    this.letters[place][run] = letter
    this.times[place][run] = time
    this.pids[place][run] = pid
  }

  /** The time of the last event of a run. */
  lastTime(run: number): number {
    return this.times[(this.events[run] - 1) % KEPT][run]
  }

  /** The last events of a run, in order. */
  history(run: number, { op, val, ret, stack }: LetterColumns): CallEvent[] {
    const found: CallEvent[] = []
    for (let i = Math.max(0, this.events[run] - KEPT); i < this.events[run]; i++) {
      const place = i % KEPT
      const letter = this.letters[place][run]
      found.push({ op: op[letter], val: val[letter], ret: ret[letter], time: this.times[place][run], pid: this.pids[place][run], stack: stack[letter] })
    }
    return found
  }

  private grow(): void {
    const size = this.task.length * 4
    this.task = roomFor(this.task, size)
    this.automaton = roomFor(this.automaton, size)
    this.marking = roomFor(this.marking, size)
    this.next = roomFor(this.next, size)
    this.events = roomFor(this.events, size)
    for (let place = 0; place < KEPT; place++) {
      this.letters[place] = roomFor(this.letters[place], size)
      this.times[place] = roomFor(this.times[place], size)
      this.pids[place] = roomFor(this.pids[place], size)
    }
  }
}
