/** What letters mean to the model: the call an event belongs to, and what the call's automaton reads. Found out once for each. */
import type { RoleAutomaton } from '../roles/automaton.ts'
import type { RoleBook } from '../roles/book.ts'
import { type CallSite, CallsSeen, callSite } from './call-site.ts'
import { roomFor } from './columns.ts'
import type { LetterColumns } from './letters.ts'
import type { DeviceType } from './life.ts'
import { Markings, type SymbolId } from './markings.ts'
import type { SiteFrames } from './source.ts'

/** What an event is to the model: the same for all events of one letter. */
export interface Meaning {
  /** Number of the automaton of the call it belongs to: see `Meanings.automata`. -1: unmapped. */
  readonly automaton: number
  readonly symbol: SymbolId
  /** It is of a large folio that is split. */
  readonly splits: boolean
  /** Of an unmapped event: how many its site had, counted by the user. */
  readonly unmapped: { readonly site: number; readonly why: string; events: number } | undefined
}

/** Functions that take large folios apart. Source: mm/huge_memory.c, mm/migrate_device.c of 5.10 to 7.3. */
const SPLITS = /^(__folio_split|__folio_freeze_and_split_unmapped|folio_split_unmapped|__split_unmapped_folio|__split_huge_p[mu]d\w*|migrate_vma_split_\w+)$/

export class Meanings {
  /** Automata that letters were found to belong to, by number. */
  readonly automata: Markings[] = []
  /** Sites of unmapped events, in order of their first. */
  readonly unmappedSites = new Map<number, NonNullable<Meaning['unmapped']>>()
  private readonly book: RoleBook
  private readonly numbers = new Map<RoleAutomaton, number>()
  private readonly seen = new CallsSeen()
  private readonly learned = new Set<number>()
  /** Per type, per letter: 1 + the number of its meaning; 0: not looked at. */
  private readonly known = new Map<DeviceType, Int32Array>()
  private readonly all: Meaning[] = []
  private readonly within: Map<number, boolean>[] = []

  constructor(book: RoleBook) {
    this.book = book
  }

  of(type: DeviceType, letter: number, letters: LetterColumns, tables: SiteFrames): Meaning {
    const ofType = this.known.get(type)
    const number = ofType === undefined || letter >= ofType.length ? 0 : ofType[letter]
    return number > 0 ? this.all[number - 1] : this.find(type, letter, letters, tables)
  }

  /** Whether a call of an automaton's function can be under way in a site: the function is in its frames. */
  isWithin(automaton: number, site: number, tables: SiteFrames): boolean {
    let known = this.within[automaton]?.get(site)
    if (known === undefined) {
      const { entry } = this.automata[automaton].automaton
      known = tables.siteFrames(site).some((name) => this.book.named(name).includes(entry))
      this.within[automaton] ??= new Map()
      this.within[automaton].set(site, known)
    }
    return known
  }

  private find(type: DeviceType, letter: number, letters: LetterColumns, tables: SiteFrames): Meaning {
    const site = letters.site[letter]
    const frames = site === 0 ? [] : tables.siteFrames(site)
    if (!this.learned.has(site)) {
      this.learned.add(site)
      const { version } = this.seen
      this.seen.learn(this.book, frames)
      // What was taken to be inlined may not be.
      if (this.seen.version !== version) {
        for (const one of this.known.values()) one.fill(0)
        this.all.length = 0
      }
    }
    const found = callSite(this.book, type, frames)
    const automaton = found.mapped ? this.number(found.automaton) : -1
    const meaning: Meaning = {
      automaton,
      symbol: found.mapped
        ? this.automata[automaton].symbol(found, { op: letters.op[letter], val: letters.val[letter], ret: letters.ret[letter] }, this.seen)
        : 0,
      splits: frames.some((name) => SPLITS.test(name)),
      unmapped: found.mapped ? undefined : this.unmapped(site, found),
    }
    this.known.set(type, roomFor(this.known.get(type) ?? new Int32Array(256), letter + 1))
    ;(this.known.get(type) as Int32Array)[letter] = this.all.push(meaning)
    return meaning
  }

  private number(automaton: RoleAutomaton): number {
    let number = this.numbers.get(automaton)
    if (number === undefined) {
      number = this.automata.push(new Markings(automaton)) - 1
      this.numbers.set(automaton, number)
    }
    return number
  }

  private unmapped(site: number, { why }: Extract<CallSite, { mapped: false }>): NonNullable<Meaning['unmapped']> {
    let one = this.unmappedSites.get(site)
    if (!one) {
      one = { site, why, events: 0 }
      this.unmappedSites.set(site, one)
    }
    return one
  }
}
