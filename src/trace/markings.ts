/** Runs of a role automaton over the letters that events stand for: sets of states, made when they are first needed. */
import type { Letter, RoleAutomaton } from '../roles/automaton.ts'
import { type CallSite, type CallsSeen, placeIn } from './call-site.ts'
import { roomFor } from './columns.ts'
import { OP_NAMES, Op } from './page-event.ts'

/** A set of states of an automaton, as a number. */
export type Marking = number

/** No state is left: the model forbids what was seen. */
export const FORBIDDEN: Marking = -1
/** More sets or larger ones than are followed: nothing is known. */
export const TOO_MANY: Marking = -2
/** Larger sets of states are not followed. */
export const MOST_STATES = 256

/** What an event says of the operation. */
export interface Said {
  readonly op: number
  readonly val: number
  readonly ret: number
}

/** Letters of one automaton that an event may be; what `Markings.after` takes. */
export type SymbolId = number

export class Markings {
  readonly automaton: RoleAutomaton
  private readonly sets: (readonly number[])[] = []
  private readonly ids = new Map<string, Marking>()
  private readonly accepts: boolean[] = []
  private readonly over: boolean[] = []
  /** Per marking and symbol, 3 + the next marking; 0: not looked at. */
  private readonly moves: Uint32Array[] = []
  private readonly symbols: (readonly number[])[] = []
  private readonly symbolIds = new Map<string, SymbolId>()
  /** Per marking, once it was asked for: see `expected`. */
  private readonly next: (readonly Letter[])[] = []
  /** At the beginning of a call. */
  readonly start: Marking
  /** Anywhere in a call: its beginning was not recorded. */
  readonly anywhere: Marking

  constructor(automaton: RoleAutomaton) {
    this.automaton = automaton
    this.start = this.intern([0])
    this.anywhere = this.intern(automaton.edges.map((_, state) => state))
  }

  /** The letters an event at a site may be. */
  symbol({ path, innermost }: Extract<CallSite, { mapped: true }>, said: Said, seen: CallsSeen): SymbolId {
    const { letters, chains } = this.automaton
    const fits = letters.flatMap((letter, i) => {
      if (!agrees(letter, said)) return []
      const chain = chains[letter.chain]
      const at = placeIn(path, chain)
      // What the innermost function calls with a frame of its own would show that frame.
      return at < 0 || (at + 1 < chain.length && seen.has(innermost, chain[at + 1])) ? [] : [i]
    })
    const key = fits.join(',')
    const known = this.symbolIds.get(key)
    if (known !== undefined) return known
    this.symbolIds.set(key, this.symbols.length)
    this.symbols.push(fits)
    return this.symbols.length - 1
  }

  /** Whether the call may be over. */
  mayEnd(marking: Marking): boolean {
    return marking < 0 || this.accepts[marking]
  }

  /** Whether the call is over for the page: it does nothing more to it. */
  isOver(marking: Marking): boolean {
    return marking >= 0 && this.over[marking]
  }

  /** The marking behind an event; a call that may be over may have ended, and another begun. */
  after(marking: Marking, symbol: SymbolId): Marking {
    if (marking < 0) return marking
    const moves = this.moves[marking]
    const known = symbol < moves.length ? moves[symbol] : 0
    return known !== 0 ? known - 3 : this.move(marking, symbol)
  }

  private move(marking: Marking, symbol: SymbolId): Marking {
    const letters = new Set(this.symbols[symbol])
    const from = this.accepts[marking] ? [...this.sets[marking], ...this.sets[this.start]] : this.sets[marking]
    const to = new Set<number>()
    for (const state of from) for (const edge of this.automaton.edges[state]) if (letters.has(edge.letter)) to.add(edge.to)
    const made = to.size === 0 ? FORBIDDEN : to.size > MOST_STATES ? TOO_MANY : this.intern([...to])
    this.moves[marking] = roomFor(this.moves[marking], symbol + 1)
    this.moves[marking][symbol] = made + 3
    return made
  }

  /** What could have come next, for a person. */
  expected(marking: Marking): readonly Letter[] {
    if (marking < 0) return []
    // Thousands of lives may leave the model at one place.
    this.next[marking] ??= this.nextOf(marking)
    return this.next[marking]
  }

  private nextOf(marking: Marking): Letter[] {
    const from = this.accepts[marking] ? [...this.sets[marking], ...this.sets[this.start]] : this.sets[marking]
    return [...new Set(from.flatMap((state) => this.automaton.edges[state].map((edge) => edge.letter)))].map((letter) => this.automaton.letters[letter])
  }

  private intern(states: readonly number[]): Marking {
    const all = this.withRefused(states)
    const key = all.join(',')
    const known = this.ids.get(key)
    if (known !== undefined) return known
    const id = this.sets.length
    this.ids.set(key, id)
    this.sets.push(all)
    this.accepts.push(all.some((state) => this.automaton.accepting[state]))
    this.over.push(all.every((state) => this.automaton.accepting[state] && this.automaton.edges[state].length === 0))
    this.moves.push(new Uint32Array(4))
    return id
  }

  /** Attempts that fail change nothing, and recorders leave them out: they may have happened or not. */
  private withRefused(states: readonly number[]): number[] {
    const all = new Set(states)
    for (const state of all) for (const edge of this.automaton.edges[state]) if (!this.automaton.letters[edge.letter].done) all.add(edge.to)
    return [...all].sort((a, b) => a - b)
  }
}

function agrees(letter: Letter, said: Said): boolean {
  if (letter.event !== OP_NAMES[said.op]) return false
  const refusable = said.op === Op.modUnless || said.op === Op.freeze
  if (refusable && letter.done !== (said.ret !== 0)) return false
  if (letter.value !== undefined && letter.done && letter.value !== said.val) return false
  return letter.results.some(([lo, hi]) => {
    switch (said.op) {
      case Op.modAndReturn:
        return lo <= said.ret && said.ret <= hi
      case Op.modAndTest:
        return said.ret !== 0 ? lo <= 0 && 0 <= hi : lo !== 0 || hi !== 0
      default:
        return true
    }
  })
}
