/** The call that leaves the model, beside what the model has it do: the events they share, and what the model allows where they part. */
import type { Certainty } from '../roles/automaton.ts'
import type { Rejection } from '../trace/held-conformance.ts'
import { letterWords } from '../trace/not-in-model.ts'

/** Ways to go on that are named. */
const MOST_ALLOWED = 12

/** What the model could have done next. */
export interface Allowed {
  /** `a put of 1024`. */
  readonly said: string
  /** The model's functions, that of the call first, that of the operation last. */
  readonly chain: readonly string[]
  /** Whether those who wait for the page are woken with it, and whether its driver gets it back. */
  readonly wakes: Certainty
  readonly frees: Certainty
}

export interface BesideModel {
  readonly kernel: string
  /** The function whose call it is in the model. */
  readonly entry: string
  readonly task: string
  /** The call was over although the model has it do more. */
  readonly unfinished: boolean
  /** The last events of the call that the model allows: places in the life's events, in order. */
  readonly shared: readonly number[]
  readonly allowed: readonly Allowed[]
  /** Ways to go on that are left out. */
  readonly more: number
  /** The model may also have the call do no more to the page. */
  readonly mayEnd: boolean
}

/** `placeOf` finds an event in the life by its time and task. */
export function besideModel(rejected: Rejection, kernel: string, task: string, placeOf: (time: number, pid: number) => number): BesideModel {
  const { entry, unfinished, before, event, mayEnd } = rejected
  const ways = new Map<string, Allowed>()
  for (const { letter, chain } of rejected.expected) {
    if (!letter.done) continue
    const said = letterWords(letter)
    const key = `${said} ${chain.at(-1)}`
    const known = ways.get(key)
    // Of the ways through the same function the shortest is shown.
    if (!known || chain.length < known.chain.length) ways.set(key, { said, chain, wakes: letter.wakes, frees: letter.frees })
  }
  const allowed = [...ways.values()]
  const events = unfinished ? [...before, event] : before
  return {
    kernel,
    entry,
    task,
    unfinished,
    shared: events.map(({ time, pid }) => placeOf(time, pid)).filter((place) => place >= 0),
    allowed: allowed.slice(0, MOST_ALLOWED),
    more: Math.max(0, allowed.length - MOST_ALLOWED),
    mayEnd,
  }
}
