/** References that are open at the end: which call sites took them, and whether that is an error. */

import type { OpenLife, PageAccount } from './accounts.ts'
import { type Attribution, attribute, type Blamed } from './attribution.ts'
import type { CallSite, Finding, Severity } from './finding.ts'
import { lastsAtWill, outlivesCall } from './holder.ts'
import type { Ledger } from './ledger.ts'
import { flagNames, versionOf } from './page-flags.ts'
import type { TrackedPage } from './page-table.ts'
import type { GetStats } from './sites.ts'
import type { TraceTables } from './source.ts'

/** A site "otherwise gives back": of so many references at least, such a part. */
const USUAL = { references: 20, part: 0.95 }
/** An open reference is too old if it is so many times as old as the oldest that was given back. */
const TIMES = 10
/** Time stamps of one microsecond: no hold is taken to be shorter. */
const SHORTEST = 1000
/** Less than a second of waiting proves nothing of what others finish: I/O, another CPU's batch of puts. */
const PATIENCE = 1e9

interface Verdict {
  readonly severity: Severity
  /** The site gives back next to nothing of what it takes: what one page proves holds for its others. */
  readonly never?: boolean
  /** Why, for one page; findings are grouped by it. */
  readonly reason: string
}

interface Group {
  readonly severity: Severity
  readonly never: boolean
  readonly reason: string
  readonly attribution: Attribution
  readonly pages: number[]
  readonly amounts: Map<number, number>
  references: number
  example: Finding['example']
}

/** Everything a verdict needs of the trace as a whole. */
export interface EndOfTrace {
  readonly ledger: Ledger
  readonly tables: TraceTables
  /** Last time stamp of any event. */
  readonly last: number
  readonly release: string | undefined
  /** The device pages that had events. */
  readonly pages: readonly TrackedPage[]
  readonly free: (page: TrackedPage) => 0 | 1
  readonly isDevice: (page: TrackedPage) => boolean
}

/** An open page with what explains it. */
interface Open {
  readonly account: PageAccount
  readonly life: OpenLife
  readonly attribution: Attribution
}

/** Gives the findings of kind `held`, not yet in order. */
export function heldFindings(end: EndOfTrace): Finding[] {
  const { ledger } = end
  ledger.matching.addLoops(ledger.span)
  const attributions = new Map<string, Attribution>()
  const earlier = { pages: [] as number[], references: 0 }
  const lost: number[] = []
  const pages: Open[] = []
  /** Amounts that are still out, by site. */
  const out = new Map<number, number>()
  for (let i = 0; i < end.pages.length; i++) {
    const page = end.pages[i]
    const above = page.count - end.free(page)
    // Most pages are free: nothing more need be known of them.
    if (above <= 0) continue
    const account = ledger.account(page.index)
    const { life } = account
    if (account.tainted) {
      if (life || Number.isNaN(page.count)) lost.push(page.pfn)
      continue
    }
    if (!life || life.frozen || !(above > 0)) continue
    if (life.earlier > 0) {
      earlier.pages.push(page.pfn)
      earlier.references += life.earlier
    }
    if (Number.isNaN(life.earlier) || life.open.length === 0) continue
    const key = `${life.low}/${life.high}/${life.earlier > 0}`
    let attribution = attributions.get(key)
    if (!attribution) {
      attribution = life.earlier > 0 ? byMatching(life) : attribute(ledger, life)
      attributions.set(key, attribution)
    }
    for (const { site, amount, share } of attribution.blamed) out.set(site, (out.get(site) ?? 0) + amount * share)
    pages.push({ account, life, attribution })
  }
  const longest = longestHold(ledger)
  const groups = new Map<string, Group>()
  for (const { account, life, attribution } of pages) addTo(groups, account, life, attribution, judge(end, life, attribution, longest, out), end.last)
  const findings = joined([...groups.values()]).map((group) => finding(end, group))
  if (earlier.references > 0) {
    findings.push({
      kind: 'held',
      severity: 'info',
      why: `${count(earlier.references, 'reference')} on ${count(earlier.pages.length, 'page')} ${earlier.references === 1 ? 'was' : 'were'} there before the recording began: taken earlier, by whom is unknown.`,
      pages: earlier.pages.sort(ascending),
      references: earlier.references,
      callsites: [],
      example: undefined,
    })
  }
  if (lost.length > 0) {
    findings.push({
      kind: 'held',
      severity: 'unknown',
      why: `Events of ${count(lost.length, 'page')} may be lost, or their order cannot be told: whether ${lost.length === 1 ? 'it is' : 'they are'} still held is unknown.`,
      pages: lost.sort(ascending),
      references: 0,
      callsites: [],
      example: undefined,
    })
  }
  return findings
}

/** What one page proves of a call site holds for the other pages it alone is blamed for. */
function joined(groups: readonly Group[]): Group[] {
  const whom = (group: Group): string => group.attribution.blamed.map(({ site }) => site).join(',')
  const errors = new Map(groups.filter(({ severity, never }) => severity === 'error' && never).map((group) => [whom(group), group]))
  return groups.filter((group) => {
    const error = errors.get(whom(group))
    if (!error || error === group || group.attribution.blamed.some(({ share }) => share < 1)) return true
    error.pages.push(...group.pages)
    error.references += group.references
    for (const [site, amount] of group.amounts) error.amounts.set(site, (error.amounts.get(site) ?? 0) + amount)
    return false
  })
}

function byMatching(life: OpenLife): Attribution {
  const left = new Map<number, number>()
  for (const reference of life.open) left.set(reference.site, (left.get(reference.site) ?? 0) + reference.amount)
  return { blamed: [...left].map(([site, amount]) => ({ site, amount, share: 1 })), how: 'matching', puts: [] }
}

/** The longest hold of references that are neither mappings nor I/O: what "a moment" is in this trace. */
function longestHold(ledger: Ledger): number {
  let longest = SHORTEST
  for (const stats of ledger.sites.allGets) if (!outlivesCall(stats.holder.class) && stats.longest > longest) longest = stats.longest
  return longest
}

function judge(end: EndOfTrace, life: OpenLife, attribution: Attribution, longest: number, out: ReadonlyMap<number, number>): Verdict {
  if (attribution.blamed.length === 0) return { severity: 'info', reason: 'nothing in the trace tells whose it is' }
  const verdicts = attribution.blamed.map((blamed) => judgeSite(end, life, attribution, blamed, longest, out))
  // Several sites may be meant: an error only if it is one whichever it is. Sites that are all open: the worst.
  const ambiguous = attribution.blamed.some(({ share }) => share < 1)
  const order: readonly Severity[] = ambiguous ? ['info', 'unknown', 'error'] : ['error', 'unknown', 'info']
  for (const severity of order) {
    const found = verdicts.find((one) => one.severity === severity)
    if (found) return found
  }
  return verdicts[0]
}

function judgeSite(end: EndOfTrace, life: OpenLife, attribution: Attribution, blamed: Blamed, longest: number, out: ReadonlyMap<number, number>): Verdict {
  const { ledger } = end
  const stats = ledger.sites.statsOf(blamed.site)
  if (!stats) return { severity: 'info', reason: 'the trace ends while it is held' }
  const holder = stats.holder.class
  const followed = stats.taken - stats.abandoned
  const returned = followed - (out.get(blamed.site) ?? 0)
  // The more were given back in time, the surer their longest hold is a bound.
  const patience = (PATIENCE * USUAL.references) / Math.max(USUAL.references, references(returned))
  if (holder === 'page-table entry' && unmapped(end, life, blamed.site) && end.last - life.last > Math.max(TIMES * longest, patience)) {
    return {
      severity: 'error',
      reason: `the last event of the page says that nothing maps it any more (mapcount ${life.lastMapcount}), yet ${article(holder)} still counts`,
    }
  }
  if (lastsAtWill(holder)) return { severity: 'info', reason: `${article(holder)} may last as long as user space likes` }
  const reference = life.open.find((one) => one.site === blamed.site)
  const since = reference?.time ?? life.last
  const pid = reference?.pid ?? life.lastPid
  const age = end.last - since
  const { otherCall, last } = ledger.seen.after(pid, stats.facts.call, since)
  const hold = Math.max(stats.longest, SHORTEST)
  const slow = Math.max(TIMES * hold, patience)
  const again = reference === undefined ? 0 : ledger.rounds.of(blamed.site, pid) - reference.round
  const wentOn = otherCall !== undefined || last - since > slow || again >= USUAL.references
  const usual = followed >= USUAL.references && returned >= USUAL.part * followed
  if (usual && wentOn && age > (outlivesCall(holder) ? slow : TIMES * hold)) {
    const percent = Math.floor((1000 * returned) / followed) / 10
    return {
      severity: 'error',
      reason: `this site gives back ${percent} % of the ${grouped(references(followed))} references it takes, after ${duration(stats.longest)} at the most, and its task has gone on`,
    }
  }
  const balanced = attribution.how === 'removal' && blamed.share === 1
  if (
    balanced &&
    !outlivesCall(holder) &&
    returned < 0.5 * followed &&
    (otherCall !== undefined || again >= USUAL.references) &&
    end.last - life.last > longest
  ) {
    return {
      severity: 'error',
      never: true,
      reason: `without it the page's life is whole, as those of other pages are: everything else that was taken was given back; its task has returned from the call (${otherCall === undefined ? 'it has come there again and again since' : `it was seen in ${ledger.sites.callName(otherCall)} afterwards`})`,
    }
  }
  if (outlivesCall(holder)) return { severity: 'info', reason: `${article(holder)} may be under way where the trace ends` }
  return { severity: 'info', reason: wentOn ? 'nothing shows that it should have been given back yet' : 'its task may still be in the call that took it' }
}

/** Whether the last event of a page, later than the entry's own, shows it unmapped. Of a large folio the field of the head says nothing. */
function unmapped(end: EndOfTrace, life: OpenLife, site: number): boolean {
  const version = versionOf(end.release ?? '')
  // Raw since 6.12, cooked until 6.1; in between the trace itself shows it.
  const raw = version >= 6012 || (version > 6001 && end.ledger.rawMapcount)
  if (version === 0 || life.lastSite === site) return false
  const head = 1 << flagNames(end.release).indexOf('head')
  return (life.lastFlags & head) === 0 && life.lastMapcount === (raw ? -1 : 0)
}

function addTo(groups: Map<string, Group>, account: PageAccount, life: OpenLife, attribution: Attribution, verdict: Verdict, last: number): void {
  const key = `${verdict.severity}|${attribution.how}|${attribution.blamed
    .map(({ site, share }) => `${site}:${share.toFixed(2)}`)
    .sort()
    .join(',')}`
  let group = groups.get(key)
  if (!group) {
    group = {
      severity: verdict.severity,
      never: verdict.never ?? false,
      reason: verdict.reason,
      attribution,
      pages: [],
      amounts: new Map(),
      references: 0,
      example: undefined,
    }
    groups.set(key, group)
  }
  group.pages.push(account.page.pfn)
  const sum = attribution.blamed.some(({ share }) => share < 1) ? life.sum : attribution.blamed.reduce((all, { amount }) => all + amount, 0)
  group.references += references(sum)
  for (const { site, amount } of attribution.blamed) group.amounts.set(site, (group.amounts.get(site) ?? 0) + references(amount))
  if (!group.example) {
    const reference = life.open.find((one) => one.site === attribution.blamed[0]?.site)
    group.example = {
      pfn: account.page.pfn,
      pid: reference?.pid,
      time: reference?.time,
      age: reference === undefined ? undefined : last - reference.time,
    }
  }
}

/** A pin is one reference, though it counts 1024. */
function references(amount: number): number {
  return Math.floor(amount / 1024) + (amount % 1024)
}

function finding(end: EndOfTrace, group: Group): Finding {
  const { ledger } = end
  const { attribution } = group
  const callsites: CallSite[] = attribution.blamed
    .map(({ site, share }) => {
      const stats = ledger.sites.statsOf(site)
      return {
        function: nameOf(stats, ledger.sites.of(site).frames),
        class: stats?.holder.class,
        stack: ledger.sites.of(site).frames,
        references: group.amounts.get(site) ?? 0,
        share,
      }
    })
    .sort((a, b) => b.share - a.share || rank(a) - rank(b) || b.references - a.references)
  const what = `${count(group.references, 'reference')} on ${count(group.pages.length, 'page')} ${group.references === 1 ? 'is' : 'are'} still held`
  const who =
    callsites.length === 0
      ? ''
      : `, taken by ${listed(callsites.map((one) => `${one.function}()${one.share < 1 ? ` (${Math.round(one.share * 100)} %)` : ''}`))}`
  const missing =
    attribution.how === 'missing put'
      ? ` The put that has not come is of the kind ${listed(
          attribution.puts.slice(0, 3).map((put) => `${ledger.sites.of(put).frames[0] ?? '?'}()`),
          'or',
        )} does.`
      : ''
  return {
    kind: 'held',
    severity: group.severity,
    why: `${what}${who}: ${group.reason}.${missing}`,
    pages: group.pages.sort(ascending),
    references: group.references,
    callsites,
    example: group.example,
  }
}

/** Sites that may hold at will come behind those that should not. */
function rank(site: CallSite): number {
  return site.class !== undefined && lastsAtWill(site.class) ? 1 : 0
}

export function nameOf(stats: GetStats | undefined, frames: readonly string[]): string {
  const name = stats?.holder.function || frames[0]
  return name ?? 'an unknown caller (no stack was recorded)'
}

export function listed(items: readonly string[], word = 'and'): string {
  if (items.length <= 1) return items[0] ?? ''
  return `${items.slice(0, -1).join(', ')} ${word} ${items[items.length - 1]}`
}

export function count(n: number, what: string): string {
  return `${grouped(n)} ${what}${n === 1 ? '' : 's'}`
}

export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** Nanoseconds in words: `3.2 ms`. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`
  if (ns < 1e6) return `${(ns / 1e3).toFixed(ns < 1e4 ? 1 : 0)} µs`
  if (ns < 1e9) return `${(ns / 1e6).toFixed(ns < 1e7 ? 1 : 0)} ms`
  return `${(ns / 1e9).toFixed(ns < 1e10 ? 1 : 0)} s`
}

function article(holder: string): string {
  return `${/^[aeiou]/.test(holder) ? 'an' : 'a'} ${holder}`
}

function ascending(a: number, b: number): number {
  return a - b
}
