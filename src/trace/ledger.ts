/**
 * Who holds what: for each page the references that are open, and for the whole trace what completed lives look like.
 *
 * A put names no get, so a put is matched with the open get it most likely pays back: that which it was seen to pay back where there was no choice
 * (the page's only open reference), else the youngest of the same task, else the youngest. Matching gives times and tasks; the
 * blame of a leak does not rest on it, but on `Span`.
 */
import { Accounts, FROZEN, GOING, LATE, LIVED, MET, type PageAccount, TAINTED } from './accounts.ts'
import { type Area, Areas, shapeOfMapping } from './area.ts'
import { roomFor } from './columns.ts'
import { lastsAtWill } from './holder.ts'
import type { Incident } from './incident.ts'
import type { KernelRules } from './kernel-rules.ts'
import { LastSeen } from './last-seen.ts'
import { Letters } from './letters.ts'
import type { BreakReason, DevicePage, LifeListener } from './life.ts'
import { LifeVectors, NOTHING } from './life-vectors.ts'
import { Matching, PIN, references as referencesIn } from './matching.ts'
import { type EventBatch, LOW, Op } from './page-event.ts'
import type { PageTable, TrackedPage } from './page-table.ts'
import type { ReferenceListener } from './reference-listener.ts'
import { Rounds } from './rounds.ts'
import { getDimension, putDimension, Sites } from './sites.ts'
import type { TraceTables } from './source.ts'
import { Span } from './span.ts'

/** Open references remembered a page; a page that leaks more is counted on, and named all the same. */
const MOST_OPEN = 64

/** Incidents kept. */
const MOST_INCIDENTS = 10_000

export class Ledger implements LifeListener {
  readonly sites = new Sites()
  readonly areas: Areas
  span = new Span()
  readonly incidents: Incident[] = []
  readonly rounds = new Rounds()
  readonly seen = new LastSeen()
  readonly matching: Matching
  /** Puts that left a page idle, by site: how often. */
  readonly idled = new Map<number, { count: number; readonly area: Area }>()
  /** Some event had a mapcount of -1: the kernel reports the raw field, where that means "not mapped". */
  rawMapcount = false
  private readonly accounts: Accounts
  private readonly vectors = new LifeVectors()
  private readonly listener: ReferenceListener | undefined
  private letters = new Letters(undefined)
  /** Per letter, 1 + what it does to a life's vector; 0: not looked at. */
  private steps = new Int32Array(256)

  constructor(rules: KernelRules | undefined, table: PageTable, references?: ReferenceListener) {
    this.accounts = new Accounts(table)
    this.areas = new Areas(rules)
    this.listener = references
    this.matching = new Matching(this.sites, this.accounts.references)
  }

  use(tables: TraceTables, letters: Letters): void {
    this.sites.use(tables)
    this.letters = letters
  }

  /** When the page had its last event. */
  lastEventAt(index: number): number {
    return this.accounts.last[index]
  }

  account(index: number): PageAccount {
    return this.accounts.of(index, this.vectors)
  }

  /** The pages that had events, those of them that are asked for. */
  pages(wanted: (page: TrackedPage) => boolean): TrackedPage[] {
    return this.accounts.pages(wanted)
  }

  run(tracked: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    const page = tracked as TrackedPage
    if ((this.accounts.marks[page.index] & MET) === 0) this.accounts.meet(page.index)
    const area = this.areas.of(page)
    const { fixed, result, delta } = this.letters
    let { count } = page
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const letter = batch.letter[row]
      const after = fixed[letter] !== 0 ? result[letter] : count + delta[letter]
      this.row(page, area, batch, row, letter, count, after)
      count = after
    }
  }

  private row(page: TrackedPage, area: Area, batch: EventBatch, row: number, letter: number, before: number, after: number): void {
    const { sites, letters, accounts } = this
    const op = batch.op[row]
    const pid = batch.pid[row]
    const time = batch.time[row]
    const site = letters.site[letter]
    const facts = sites.of(site)
    if (batch.context[row] === 0) this.seen.sign(pid, facts.call, time)
    if (!area.told) {
      const shape = facts.shape ?? shapeOfMapping(batch, row)
      if (shape) area.saw(shape)
    }
    if (!facts.teardown) area.observe(batch, row)
    const freeAt = area.freeAtNow
    if (freeAt !== area.followed) this.follow(area, freeAt)
    if (op === Op.set || op === Op.unfreeze) {
      this.stored(page, freeAt, batch, row, letter, before)
      return
    }
    const delta = letters.delta[letter]
    if (delta === 0) return
    const { index } = page
    const isFirst = accounts.vector[index] === 0
    if (isFirst) this.begin(index, Number.isNaN(before) ? Number.NaN : Math.max(0, before - freeAt))
    this.note(index, batch, row, site)
    const exact = page.exact
    if (delta > 0) {
      if (before === 0 && freeAt === 0 && exact && op !== Op.modUnless) this.incident('get-on-free', page, site, time, pid, before, after)
      this.take(page, batch, row, site, delta, this.stepOf(letter, site, delta), isFirst && before === freeAt)
      return this.endIfFree(page, area, site, time, freeAt, after)
    }
    const { teardown } = facts
    if (exact) {
      if (after < freeAt && !teardown && !(op === Op.freeze && after === 0) && !this.isLastOfGoing(index, after))
        this.incident('below-free', page, site, time, pid, before, after)
      if (teardown && after >= freeAt && freeAt === 1) {
        this.incident('bad-free', page, site, time, pid, before, after)
        accounts.marks[index] |= GOING
      }
    }
    this.give(page, site, pid, time, -delta, this.stepOf(letter, site, delta))
    if (accounts.open[index] === 1) accounts.rests(index, time)
    if (op === Op.freeze) accounts.marks[index] |= FROZEN
    if (teardown && after <= freeAt) this.drop(page)
    else this.endIfFree(page, area, site, time, freeAt, after)
  }

  /** Whether a put that leaves 0 is the last of a page whose memory map waits for it: then nothing was taken from who held it. */
  private isLastOfGoing(index: number, after: number): boolean {
    const { marks } = this.accounts
    if (after !== 0 || (marks[index] & GOING) === 0) return false
    marks[index] &= ~GOING
    const incident = this.incidents.findLast(({ kind, page }) => kind === 'bad-free' && page.index === index)
    if (incident) incident.over = true
    return true
  }

  private endIfFree(page: TrackedPage, area: Area, site: number, time: number, freeAt: number, after: number): void {
    if (after <= freeAt && (this.accounts.marks[page.index] & FROZEN) === 0) this.complete(page, area, site, time, after === freeAt)
  }

  private stepOf(letter: number, site: number, delta: number): number {
    if (letter >= this.steps.length) this.steps = roomFor(this.steps, letter + 1)
    if (this.steps[letter] === 0)
      this.steps[letter] = 1 + (delta > 0 ? this.vectors.step(getDimension(site), delta) : this.vectors.step(putDimension(site), -delta))
    return this.steps[letter] - 1
  }

  /** Notes what the last event of a life says. */
  private note(index: number, batch: EventBatch, row: number, site: number): void {
    const { accounts } = this
    const mapcount = batch.mapcount[row]
    accounts.last[index] = batch.time[row]
    accounts.lastSite[index] = site
    accounts.lastPid[index] = batch.pid[row]
    accounts.lastMapcount[index] = mapcount
    accounts.lastFlags[index] = batch.flags32[2 * row + LOW]
    if (mapcount === -1) this.rawMapcount = true
  }

  /** The area's pages are free at another count than was thought: where their lives began and ended was wrong, so what was learnt from them goes. */
  private follow(area: Area, freeAt: 0 | 1): void {
    const before = area.followed
    area.followed = freeAt
    if (before === undefined) return
    const { accounts } = this
    let learnt = false
    for (const page of accounts.pages((one) => this.areas.of(one) === area)) {
      if ((accounts.marks[page.index] & LIVED) !== 0) learnt = true
      if (accounts.vector[page.index] !== 0) this.drop(page)
      accounts.idledBy[page.index] = 0
    }
    if (!learnt) return
    this.vectors.forgetCompleted()
    this.span = new Span()
    this.matching.forget()
  }

  /** A count that was stored: a life's beginning, its end, or what a freeze gives back. */
  private stored(page: TrackedPage, freeAt: number, batch: EventBatch, row: number, letter: number, before: number): void {
    const { accounts, letters } = this
    const { index } = page
    const val = batch.val[row]
    const time = batch.time[row]
    const site = letters.site[letter]
    const hasLife = accounts.vector[index] !== 0
    if (batch.op[row] === Op.unfreeze && hasLife && (accounts.marks[index] & FROZEN) !== 0) {
      accounts.marks[index] &= ~FROZEN
      accounts.last[index] = time
      this.thaw(page, batch, row, site, val)
      return
    }
    const { birth } = page
    // Without a stack nobody can say whether this makes the page or gives it away.
    if (hasLife && !birth && site !== 0 && page.exact && !Number.isNaN(before) && before > freeAt)
      this.incident('bad-free', page, site, time, batch.pid[row], before, val)
    this.drop(page)
    accounts.marks[index] &= ~(TAINTED | GOING)
    if (val === freeAt || birth) return
    this.begin(index, 0)
    accounts.last[index] = time
    accounts.lastSite[index] = site
    accounts.lastPid[index] = batch.pid[row]
    this.take(page, batch, row, site, val - freeAt, this.vectors.step(getDimension(site), val - freeAt), true)
  }

  private begin(index: number, earlier: number): void {
    const { accounts } = this
    accounts.vector[index] = NOTHING
    accounts.earlier[index] = earlier
    accounts.marks[index] &= ~(FROZEN | LATE)
    if (earlier !== 0) accounts.marks[index] |= LATE
    accounts.idledBy[index] = 0
  }

  /** A life is over. */
  private retire(index: number): void {
    const { accounts } = this
    accounts.references.dropAll(accounts.first[index])
    accounts.first[index] = 0
    accounts.open[index] = 0
    this.vectors.release(accounts.vector[index])
    accounts.vector[index] = 0
  }

  private open(page: TrackedPage, batch: EventBatch, row: number, site: number, amount: number): void {
    const { accounts } = this
    const { index } = page
    const pid = batch.pid[row]
    this.rounds.takes(site, pid, batch.time[row])
    if (accounts.open[index] >= MOST_OPEN) return
    const made = accounts.references.add(site, pid, batch.time[row], amount, accounts.first[index])
    accounts.first[index] = made
    accounts.open[index]++
    this.listener?.taken(page, accounts.references.view(made))
  }

  private take(page: TrackedPage, batch: EventBatch, row: number, site: number, amount: number, step: number, allocates: boolean): void {
    const { accounts, sites } = this
    const { references } = accounts
    const { index } = page
    const first = amount % (PIN - 1) === 0 ? this.firstStep(index, amount / (PIN - 1), batch.pid[row]) : 0
    if (first !== 0) {
      // The second step of a pin: what it adds is the first one's, in the life's vector and in what the site took.
      const { site: begun } = references
      accounts.vector[index] = this.vectors.go(accounts.vector[index], this.vectors.step(getDimension(begun[first]), amount))
      references.amount[first] += amount
      references.taken[first] += amount
      return
    }
    const stats = sites.statsOf(site) ?? sites.gets(site, allocates, amount >= PIN - 1)
    // Without its first step the second is a pin all the same.
    stats.taken += amount === PIN - 1 ? 1 : referencesIn(amount)
    accounts.vector[index] = this.vectors.go(accounts.vector[index], step)
    this.open(page, batch, row, site, amount)
  }

  /** The reference a task took just now as the first step of a pin: `amount` as it was taken, which the second step makes 1024 times as much; 0: none. */
  private firstStep(index: number, amount: number, pid: number): number {
    const { first, references } = this.accounts
    for (let at = first[index]; at !== 0; at = references.next[at]) {
      if (references.pid[at] === pid) return references.amount[at] === amount && references.taken[at] === amount ? at : 0
    }
    return 0
  }

  private give(page: TrackedPage, site: number, pid: number, time: number, amount: number, step: number): void {
    const { accounts, sites, matching } = this
    const { references } = accounts
    const { index } = page
    accounts.vector[index] = this.vectors.go(accounts.vector[index], step)
    let left = amount
    // An entry's put where no entry is known to be taken: it was mapped before the recording began.
    if (accounts.earlier[index] > 0 && sites.of(site).zap && !matching.hasEntry(accounts.first[index])) {
      left -= Math.min(left, accounts.earlier[index])
      accounts.earlier[index] -= amount - left
    }
    if (left > 0 && accounts.earlier[index] === 0) matching.learn(accounts.first[index], accounts.open[index], site)
    while (left > 0 && accounts.first[index] !== 0) {
      const one = accounts.open[index] === 1 ? accounts.first[index] : matching.find(accounts.first[index], site, pid, left)
      const get = references.site[one]
      const paid = Math.min(left, references.amount[one])
      const stats = sites.statsOf(get)
      left -= paid
      references.amount[one] -= paid
      if (stats && time - references.time[one] > stats.longest) stats.longest = time - references.time[one]
      if (references.pid[one] === pid) this.rounds.gives(get, pid)
      if (references.amount[one] > 0) continue
      this.listener?.given(page, references.view(one), site, pid, time)
      // A reference of a moment, taken and given back: what lies between does not matter to a life.
      if (references.taken[one] === amount && stats && !lastsAtWill(stats.holder.class)) matching.loop(site, get)
      this.close(index, one)
    }
    if (left > 0 && accounts.earlier[index] > 0) accounts.earlier[index] = Math.max(0, accounts.earlier[index] - left)
  }

  private close(index: number, reference: number): void {
    const { accounts } = this
    accounts.first[index] = accounts.references.drop(accounts.first[index], reference)
    accounts.open[index]--
  }

  private thaw(page: TrackedPage, batch: EventBatch, row: number, site: number, val: number): void {
    const { accounts, sites } = this
    const { references } = accounts
    const { index } = page
    accounts.vector[index] = this.vectors.go(accounts.vector[index], this.vectors.step(getDimension(site), val))
    sites.gets(site, false, false).taken += referencesIn(val)
    // The references themselves went through the freeze; where more or fewer come out of it a split took part.
    const held = references.list(accounts.first[index]).reduce((sum, one) => sum + references.amount[one], 0)
    if (held < val) this.open(page, batch, row, site, val - held)
    for (let over = held - val; over > 0 && accounts.first[index] !== 0; ) {
      const last = accounts.first[index]
      const off = Math.min(over, references.amount[last])
      references.amount[last] -= off
      over -= off
      if (references.amount[last] > 0) continue
      this.listener?.given(page, references.view(last), site, batch.pid[row], batch.time[row])
      this.close(index, last)
    }
  }

  private complete(page: TrackedPage, area: Area, site: number, time: number, exact: boolean): void {
    const { accounts } = this
    const { references } = accounts
    const { index } = page
    accounts.marks[index] |= LIVED
    if (exact && accounts.earlier[index] === 0 && (accounts.marks[index] & (TAINTED | LATE)) === 0) this.learn(accounts.vector[index])
    // What is left open was paid back by a put that was matched with another.
    for (const one of accounts.first[index] === 0 ? [] : references.list(accounts.first[index])) {
      this.listener?.given(page, references.view(one), 0, references.pid[one], time)
      const stats = this.sites.statsOf(references.site[one])
      if (stats && time - references.time[one] > stats.longest) stats.longest = time - references.time[one]
    }
    this.retire(index)
    if (page.exact) accounts.marks[index] &= ~TAINTED
    accounts.idledBy[index] = site
    accounts.idledAt[index] = time
    const idled = this.idled.get(site)
    if (idled) idled.count++
    else this.idled.set(site, { count: 1, area })
  }

  private learn(vector: number): void {
    if (!this.vectors.complete(vector)) return
    const { dimensions, amounts } = this.vectors.of(vector)
    this.span.add({ dimensions: [...dimensions], amounts: [...amounts] })
  }

  private drop(page: TrackedPage): void {
    const { accounts } = this
    const { references } = accounts
    const { index } = page
    if (accounts.vector[index] !== 0) {
      for (const one of references.list(accounts.first[index])) {
        const stats = this.sites.statsOf(references.site[one])
        if (stats) stats.abandoned += referencesIn(references.amount[one])
        this.listener?.forgotten(page, references.view(one), accounts.last[index])
      }
      this.retire(index)
    }
    accounts.idledBy[index] = 0
  }

  private incident(kind: Incident['kind'], page: TrackedPage, site: number, time: number, pid: number, before: number, after: number): void {
    if (this.incidents.length >= MOST_INCIDENTS) return
    const life = kind === 'bad-free' ? this.accounts.lifeOf(page.index, this.vectors) : undefined
    this.incidents.push({ kind, page, site, time, pid, before, after, life })
  }

  broken(page: DevicePage, why: BreakReason): void {
    const { accounts } = this
    if ((accounts.marks[page.index] & MET) === 0) return
    this.drop(page as TrackedPage)
    accounts.marks[page.index] &= ~GOING
    if (why === 'lost' || why === 'search') accounts.marks[page.index] |= TAINTED
    else accounts.marks[page.index] &= ~TAINTED
  }

  end(): void {}
}
