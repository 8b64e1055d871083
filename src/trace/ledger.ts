/**
 * Who holds what: for each page the references that are open, and for the whole trace what completed lives look like.
 *
 * A put names no get, so a put is matched with the open get it most likely pays back: that which it was seen to pay back where there was no choice
 * (the page's only open reference), else the youngest of the same task, else the youngest. Matching gives times and tasks; the
 * blame of a leak does not rest on it, but on `Span`.
 */
import { type Area, Areas, shapeOfMapping } from './area.ts'
import { countAfter } from './count.ts'
import { lastsAtWill } from './holder.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { BreakReason, DevicePage, LifeListener } from './life.ts'
import { deltaOf, type EventBatch, LOW, Op } from './page-event.ts'
import type { TrackedPage } from './page-table.ts'
import { PairCounts } from './pair-counts.ts'
import { type GetStats, getDimension, putDimension, round, Sites } from './sites.ts'
import type { TraceTables } from './source.ts'
import { Span } from './span.ts'

/** Open references remembered a page; a page that leaks more is counted on, and named all the same. */
const MOST_OPEN = 64
/** GUP's bias: what a pin adds to a page's count. In 5.10 to 6.12 in two steps, 1 and the rest. */
const PIN = 1024
const TWO32 = 4294967296

/** One open reference. */
export interface OpenReference {
  /** Counts up in order of their taking; each has its own. */
  id: number
  site: number
  pid: number
  time: number
  /** What is left of it: 1, or 1024 for a pin. */
  amount: number
  /** What it was. */
  taken: number
  /** Of its site and task: see `round`. */
  round: number
}

/** A page's current life. */
export interface OpenLife {
  /** Vector of the life so far. */
  readonly dimensions: number[]
  readonly amounts: number[]
  readonly open: OpenReference[]
  /** Sum of what the life added: the count above the free value, if its start was known. */
  sum: number
  /** References that were there when the life was first seen: "earlier, unknown". NaN: how many is unknown. */
  earlier: number
  /** Hash of the vector. */
  low: number
  high: number
  /** The count was taken to 0 by a freeze and will be given back. */
  frozen: boolean
  /** Time of the first and last event of the life. */
  began: number
  last: number
  lastSite: number
  lastPid: number
  /** page->_mapcount as the last event told it, and the low flags. */
  lastMapcount: number
  lastFlags: number
}

/** Hears of references as they are matched: what exports are made of. A reference is the ledger's again after the call, but for its `id`. */
export interface ReferenceListener {
  taken(page: TrackedPage, reference: OpenReference): void
  /** By a put at a site; site 0: the page became free, and no put was matched with it. */
  given(page: TrackedPage, reference: OpenReference, site: number, pid: number, time: number): void
  /** What was known of the page is void: whether it is still open is not known. */
  forgotten(page: TrackedPage, reference: OpenReference, time: number): void
}

/** What the ledger keeps of a page. */
export interface PageAccount {
  readonly page: TrackedPage
  life: OpenLife | undefined
  /** Events of this page may be missing since it was last seen free: nothing may be claimed of it. */
  tainted: boolean
  /** The site whose put made the page idle last, while it is idle; 0: none or not idle. */
  idledBy: number
  idledAt: number
  lives: number
}

/** Something the ledger met on the way. */
export interface Incident {
  readonly kind: 'below-free' | 'get-on-free' | 'bad-free'
  readonly page: TrackedPage
  readonly site: number
  readonly time: number
  readonly pid: number
  readonly before: number
  readonly after: number
}

/** Incidents kept; the count goes on. */
const MOST_INCIDENTS = 10_000

export class Ledger implements LifeListener {
  readonly sites = new Sites()
  readonly areas: Areas
  span = new Span()
  readonly accounts: PageAccount[] = []
  readonly incidents: Incident[] = []
  incidentCount = 0
  /** Completed lives by hash of their vector: how often. */
  private readonly completed = new Map<number, number>()
  /** How often a put site was seen to pay back a get site where there was no choice. */
  private paid = new PairCounts()
  /** How often a put site gave back a reference of a moment that a get site took. */
  private loops = new PairCounts()
  private readonly spareLives: OpenLife[] = []
  private readonly spareReferences: OpenReference[] = []
  /** The last event of each task in each call: key pid * 65536 + call. */
  private readonly seen = new Map<number, number>()
  private seenKey = -1
  private seenTime = 0
  /** Puts that left a page idle, by site: how often, how often the page was used again. */
  readonly idled = new Map<number, { count: number; area: Area }>()
  /** Some event had a mapcount of -1: the kernel reports the raw field, where that means "not mapped". */
  rawMapcount = false
  private readonly rules: KernelRules | undefined
  private readonly references: ReferenceListener | undefined
  private ids = 0
  /** Whose events are being told. */
  private page: TrackedPage | undefined

  constructor(rules: KernelRules | undefined, references?: ReferenceListener) {
    this.rules = rules
    this.references = references
    this.areas = new Areas(rules)
  }

  use(tables: TraceTables): void {
    this.sites.use(tables)
  }

  private sign(key: number, time: number): void {
    if (key !== this.seenKey) {
      this.flushSign()
      this.seenKey = key
      this.seenTime = time
    } else if (time > this.seenTime) this.seenTime = time
  }

  private flushSign(): void {
    if (this.seenKey < 0) return
    const before = this.seen.get(this.seenKey)
    if (before === undefined || before < this.seenTime) this.seen.set(this.seenKey, this.seenTime)
  }

  /** The first other call a task was seen in after a time, or the last time it was seen at all. */
  after(pid: number, call: number, time: number): { readonly otherCall: number | undefined; readonly last: number } {
    this.flushSign()
    let last = Number.NEGATIVE_INFINITY
    let otherCall: number | undefined
    for (const [key, seen] of this.seen) {
      if (Math.floor(key / 65536) !== pid) continue
      if (seen > last) last = seen
      if (seen > time && call !== 0 && key % 65536 !== call && key % 65536 !== 0) otherCall = key % 65536
    }
    return { otherCall, last }
  }

  /** How often a completed life had this vector. */
  timesCompleted(life: { low: number; high: number }): number {
    return this.completed.get(key(life)) ?? 0
  }

  /**
   * Adds to the span what was seen to begin and end within lives: a get and the put that gives it back, where each is the other's usual one. For
   * lives that did not end, so that what they do in between is no riddle. Call once, at the end.
   */
  addLoops(): void {
    const perPut = new Map<number, number>()
    for (const { a: put, times } of this.loops.entries()) perPut.set(put, (perPut.get(put) ?? 0) + times)
    for (const { a: put, b: get, times } of this.loops.entries()) {
      const taken = this.sites.statsOf(get)?.taken ?? 0
      const amount = taken >= PIN && taken % PIN === 0 ? taken / PIN : taken
      if (times * 2 < (perPut.get(put) ?? 0) || times * 2 < amount) continue
      this.span.addLoop({ dimensions: [getDimension(get), putDimension(put)], amounts: [1, 1] })
    }
  }

  /** Gets that a put site was seen to pay back, with how often. */
  paidBy(put: number): { site: number; times: number }[] {
    const found: { site: number; times: number }[] = []
    for (const { a, b, times } of this.paid.entries()) if (a === put) found.push({ site: b, times })
    return found.sort((a, b) => b.times - a.times || a.site - b.site)
  }

  run(tracked: DevicePage, batch: EventBatch, rows: Uint32Array, from: number, to: number): void {
    const page = tracked as TrackedPage
    let account = this.accounts[page.index]
    if (!account) {
      account = { page, life: undefined, tainted: false, idledBy: 0, idledAt: 0, lives: 0 }
      this.accounts[page.index] = account
    }
    this.page = page
    const area = this.areas.of(page)
    let count = page.count
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const after = countAfter(batch, row, count)
      this.row(account, area, batch, row, count, after)
      count = after
    }
  }

  private row(account: PageAccount, area: Area, batch: EventBatch, row: number, before: number, after: number): void {
    const op = batch.op[row]
    const pid = batch.pid[row]
    const time = batch.time[row]
    const { sites } = this
    const site = sites.ofStack(batch.stack[row])
    const facts = sites.of(site)
    if (batch.context[row] === 0) this.sign(pid * 65536 + facts.call, time)
    if (!area.told) {
      const shape = facts.shape ?? shapeOfMapping(batch, row)
      if (shape) area.saw(shape)
    }
    if (!facts.teardown) area.observe(batch, row)
    const freeAt = area.freeAtNow
    if (freeAt !== area.followed) this.follow(area, freeAt)
    const { page } = account
    if (op === Op.set || op === Op.unfreeze) {
      this.stored(account, freeAt, batch, row, site, before, op)
      return
    }
    const delta = deltaOf(op, batch.val[row], batch.ret[row]) as number
    if (delta === 0) return
    let { life } = account
    if (!life) {
      life = this.newLife(time, Number.isNaN(before) ? Number.NaN : Math.max(0, before - freeAt))
      account.life = life
      account.idledBy = 0
    }
    life.last = time
    life.lastSite = site
    life.lastPid = pid
    life.lastMapcount = batch.mapcount[row]
    life.lastFlags = batch.flags32[2 * row + LOW]
    if (life.lastMapcount === -1) this.rawMapcount = true
    if (delta > 0) {
      if (before === 0 && freeAt === 0 && page.exact && op !== Op.modUnless) this.incident('get-on-free', page, site, time, pid, before, after)
      this.take(life, batch, row, site, delta, before === freeAt && life.dimensions.length === 0)
      life.sum += delta
    } else {
      const teardown = facts.teardown
      if (after < freeAt && page.exact && !teardown && !(op === Op.freeze && after === 0)) this.incident('below-free', page, site, time, pid, before, after)
      if (teardown && after >= freeAt && freeAt === 1 && page.exact) this.incident('bad-free', page, site, time, pid, before, after)
      this.give(life, site, pid, time, -delta)
      life.sum += delta
      if (op === Op.freeze) life.frozen = true
      if (teardown && after <= freeAt) {
        this.drop(account)
        return
      }
    }
    if (after <= freeAt && !life.frozen) this.complete(account, area, site, time, after === freeAt)
  }

  /** The area's pages are free at another count than was thought: where their lives began and ended was wrong, so what was learnt from them goes. */
  private follow(area: Area, freeAt: 0 | 1): void {
    const before = area.followed
    area.followed = freeAt
    if (before === undefined) return
    let learnt = false
    for (const account of this.accounts) {
      if (account === undefined || this.areas.of(account.page) !== area) continue
      if (account.lives > 0) learnt = true
      if (account.life) this.drop(account)
      account.idledBy = 0
    }
    if (!learnt) return
    this.completed.clear()
    this.span = new Span()
    this.paid = new PairCounts()
    this.loops = new PairCounts()
  }

  /** A count that was stored: a life's beginning, its end, or what a freeze gives back. */
  private stored(account: PageAccount, freeAt: number, batch: EventBatch, row: number, site: number, before: number, op: number): void {
    const val = batch.val[row]
    const time = batch.time[row]
    const { page } = account
    const life = account.life
    if (op === Op.unfreeze && life?.frozen) {
      life.frozen = false
      life.last = time
      this.thaw(life, batch, row, site, val)
      return
    }
    const birth = page.birth
    // Without a stack nobody can say whether this makes the page or gives it away.
    if (life && !birth && site !== 0 && page.exact && !Number.isNaN(before) && before > freeAt)
      this.incident('bad-free', page, site, time, batch.pid[row], before, val)
    this.drop(account)
    account.tainted = false
    if (val === freeAt || birth) return
    const begun = this.newLife(time, 0)
    account.life = begun
    account.idledBy = 0
    begun.lastSite = site
    begun.lastPid = batch.pid[row]
    this.take(begun, batch, row, site, val - freeAt, true)
    begun.sum = val - freeAt
  }

  /** Lives and references come and go by the hundred thousand: they are used again. */
  private newLife(time: number, earlier: number): OpenLife {
    const life = this.spareLives.pop()
    if (!life) {
      return {
        dimensions: roomFor(0),
        amounts: roomFor(0),
        open: roomFor<OpenReference>(NO_REFERENCE),
        sum: 0,
        earlier,
        low: 0,
        high: 0,
        frozen: false,
        began: time,
        last: time,
        lastSite: 0,
        lastPid: 0,
        lastMapcount: 0,
        lastFlags: 0,
      }
    }
    life.sum = 0
    life.earlier = earlier
    life.low = 0
    life.high = 0
    life.frozen = false
    life.began = time
    return life
  }

  private retire(account: PageAccount): void {
    const { life } = account
    if (!life) return
    account.life = undefined
    for (const reference of life.open) this.spareReferences.push(reference)
    empty(life.open)
    empty(life.dimensions)
    empty(life.amounts)
    this.spareLives.push(life)
  }

  private open(life: OpenLife, batch: EventBatch, row: number, site: number, amount: number, stats: GetStats): void {
    const number = round(stats, batch.pid[row], false)
    if (life.open.length >= MOST_OPEN) return
    const spare = this.spareReferences.pop()
    const id = ++this.ids
    if (!spare) {
      const made = { id, site, pid: batch.pid[row], time: batch.time[row], amount, taken: amount, round: number }
      life.open.push(made)
      this.references?.taken(this.page as TrackedPage, made)
      return
    }
    spare.id = id
    spare.site = site
    spare.pid = batch.pid[row]
    spare.time = batch.time[row]
    spare.amount = amount
    spare.taken = amount
    spare.round = number
    life.open.push(spare)
    this.references?.taken(this.page as TrackedPage, spare)
  }

  private take(life: OpenLife, batch: EventBatch, row: number, site: number, amount: number, allocates: boolean): void {
    const stats = this.sites.gets(site, allocates, amount >= PIN - 1)
    const pid = batch.pid[row]
    stats.taken += amount
    this.count(life, getDimension(site), amount)
    const last = life.open[life.open.length - 1]
    if (amount === PIN - 1 && last && last.amount === 1 && last.pid === pid) {
      // The second step of a pin.
      last.amount = PIN
      last.taken = PIN
      return
    }
    this.open(life, batch, row, site, amount, stats)
  }

  private give(life: OpenLife, site: number, pid: number, time: number, amount: number): void {
    this.count(life, putDimension(site), amount)
    let left = amount
    const { open } = life
    if (life.earlier === 0) this.learnPaid(open, site)
    while (left > 0 && open.length > 0) {
      const i = open.length === 1 ? 0 : this.match(open, site, pid, left)
      const reference = open[i]
      const paid = Math.min(left, reference.amount)
      left -= paid
      reference.amount -= paid
      const stats = this.sites.statsOf(reference.site)
      if (stats && time - reference.time > stats.longest) stats.longest = time - reference.time
      if (stats && reference.pid === pid) round(stats, pid, true)
      if (reference.amount === 0) {
        this.references?.given(this.page as TrackedPage, reference, site, pid, time)
        for (let k = i + 1; k < open.length; k++) open[k - 1] = open[k]
        open.pop()
        this.spareReferences.push(reference)
        // A reference of a moment, taken and given back: what lies between does not matter to a life.
        if (reference.taken === amount && stats && !lastsAtWill(stats.holder.class)) this.loops.add(site, reference.site)
      }
    }
    if (left > 0 && life.earlier > 0) life.earlier = Math.max(0, life.earlier - left)
  }

  /** Where only one open reference is of the kind a put gives back, it is that one. */
  private learnPaid(open: readonly OpenReference[], site: number): void {
    if (open.length > 4) return
    const { zap } = this.sites.of(site)
    let only = -1
    for (let i = 0; i < open.length; i++) {
      if ((this.sites.statsOf(open[i].site)?.holder.class === 'page-table entry') !== zap && open.length > 1) continue
      if (only >= 0) return
      only = i
    }
    if (only >= 0) this.paid.add(site, open[only].site)
  }

  /** The open reference a put most likely pays back. */
  private match(open: readonly OpenReference[], site: number, pid: number, amount: number): number {
    const { zap, inner } = this.sites.of(site)
    let best = open.length - 1
    let score = -1
    for (let i = open.length - 1; i >= 0; i--) {
      const reference = open[i]
      const known = this.paid.get(site, reference.site)
      const pte = this.sites.statsOf(reference.site)?.holder.class === 'page-table entry'
      let value = Math.min(known, 1e8) * 4
      if (amount >= PIN === reference.amount >= PIN) value += 4e9
      if (pte === zap) value += 1e9
      if (this.sites.of(reference.site).inner === inner) value += 2
      if (reference.pid === pid) value += 1
      if (value > score) {
        score = value
        best = i
      }
    }
    return best
  }

  private thaw(life: OpenLife, batch: EventBatch, row: number, site: number, val: number): void {
    this.count(life, getDimension(site), val)
    const stats = this.sites.gets(site, false, false)
    stats.taken += val
    life.sum += val
    // The references themselves went through the freeze; where more or fewer come out of it a split took part.
    const held = life.open.reduce((sum, one) => sum + one.amount, 0)
    if (held < val) this.open(life, batch, row, site, val - held, stats)
    for (let over = held - val; over > 0 && life.open.length > 0; ) {
      const last = life.open[life.open.length - 1]
      const off = Math.min(over, last.amount)
      last.amount -= off
      over -= off
      if (last.amount === 0) {
        life.open.pop()
        this.references?.given(this.page as TrackedPage, last, site, batch.pid[row], batch.time[row])
      }
    }
  }

  /** Adds to a life's vector and its hash. */
  private count(life: OpenLife, dimension: number, amount: number): void {
    const { dimensions } = life
    let i = 0
    while (i < dimensions.length && dimensions[i] !== dimension) i++
    if (i === dimensions.length) {
      dimensions.push(dimension)
      life.amounts.push(amount)
    } else life.amounts[i] += amount
    const mixed = mix(dimension)
    life.low = (life.low + Math.imul(mixed, amount)) | 0
    life.high = (life.high + Math.imul(mix(mixed), amount)) | 0
  }

  private complete(account: PageAccount, area: Area, site: number, time: number, exact: boolean): void {
    const life = account.life as OpenLife
    account.lives++
    if (exact && life.earlier === 0 && !account.tainted) this.learn(life)
    // What is left open was paid back by a put that was matched with another.
    for (const reference of life.open) {
      this.references?.given(account.page, reference, 0, reference.pid, time)
      const stats = this.sites.statsOf(reference.site)
      if (!stats) continue
      if (time - reference.time > stats.longest) stats.longest = time - reference.time
    }
    this.retire(account)
    if (account.page.exact) account.tainted = false
    account.idledBy = site
    account.idledAt = time
    const idled = this.idled.get(site)
    if (idled) idled.count++
    else this.idled.set(site, { count: 1, area })
  }

  private learn(life: OpenLife): void {
    const hash = key(life)
    const times = this.completed.get(hash)
    if (times !== undefined) {
      this.completed.set(hash, times + 1)
      return
    }
    // A life that went round a loop many times says no more than one that went round twice.
    if (this.completed.size < 20_000) {
      this.completed.set(hash, 1)
      this.span.add({ dimensions: [...life.dimensions], amounts: [...life.amounts] })
    }
  }

  private drop(account: PageAccount): void {
    for (const reference of account.life?.open ?? []) {
      const stats = this.sites.statsOf(reference.site)
      if (stats) stats.abandoned += reference.amount
      this.references?.forgotten(account.page, reference, account.life?.last ?? reference.time)
    }
    this.retire(account)
    account.idledBy = 0
  }

  private incident(kind: Incident['kind'], page: TrackedPage, site: number, time: number, pid: number, before: number, after: number): void {
    this.incidentCount++
    if (this.incidents.length < MOST_INCIDENTS) this.incidents.push({ kind, page, site, time, pid, before, after })
  }

  broken(tracked: DevicePage, why: BreakReason): void {
    const account = this.accounts[tracked.index]
    if (!account) return
    this.drop(account)
    account.tainted = why === 'lost' || why === 'search'
  }

  end(): void {}

  /** Whether the model of the kernel is at hand. */
  get hasRules(): boolean {
    return this.rules !== undefined
  }
}

const NO_REFERENCE: OpenReference = { id: 0, site: 0, pid: 0, time: 0, amount: 0, taken: 0, round: 0 }

/** An empty array that keeps room for some things: most lives have no more, and nothing is allocated while they come and go. */
function roomFor<T>(thing: T): T[] {
  const room = [thing, thing, thing, thing, thing, thing]
  empty(room)
  return room
}

/** Empties an array so that it keeps its memory: setting its length to 0 would give it back. */
function empty(array: unknown[]): void {
  while (array.length > 0) array.pop()
}

/** A life's vector as one exact number, to look it up by. */
function key(life: { low: number; high: number }): number {
  return (life.low >>> 0) + (life.high & 0x1fffff) * TWO32
}

function mix(value: number): number {
  let x = Math.imul(value + 0x7f4a7c15, 0x2c1b3c6d)
  x ^= x >>> 15
  x = Math.imul(x, 0x297a2d39)
  return x ^ (x >>> 13)
}

export { mix as mixDimension }
