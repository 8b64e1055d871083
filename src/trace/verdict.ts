/** Whether a reference that is open at the end is an error: the rules of evidence. */
import type { OpenLife } from './accounts.ts'
import type { Attribution, Blamed } from './attribution.ts'
import type { EndOfTrace } from './end-of-trace.ts'
import type { Severity } from './finding.ts'
import { endsWithCall, lastsAtWill, outlivesCall } from './holder.ts'
import { flagNames, versionOf } from './page-flags.ts'
import { ROUNDS } from './rounds.ts'
import { type GetStats, siteOf } from './sites.ts'
import { article, duration, grouped } from './words.ts'

/** A site "otherwise gives back": of so many references at least, such a part. */
const USUAL = { references: 20, part: 0.95 }
/** An open reference is too old if it is so many times as old as the oldest that was given back. */
const TIMES = 10
/** Time stamps of one microsecond: no hold is taken to be shorter. */
const SHORTEST = 1000
/** Less than a second of waiting proves nothing of what others finish: I/O, another CPU's batch of puts. */
export const PATIENCE = 1e9

export interface Verdict {
  readonly severity: Severity
  /** The site gives back next to nothing of what it takes: what one page proves holds for its others. */
  readonly never?: boolean
  /** But for the reference the page is at rest: of what is no error, the first to look at. */
  readonly odd?: boolean
  /** The reference is ten times as old as those of its site that ended, and its task has gone on: of what is no error, the next to look at. */
  readonly old?: boolean
  /** Why, for one page; findings are grouped by it. */
  readonly reason: string
}

/** Sites that are judged by what all of them do. */
interface Family {
  /** References taken, as far as they could be followed, and of them those that were given back. */
  followed: number
  returned: number
  longest: number
}

/** Core functions of the kernel give back what they take in the same way, whoever called them; of others only the same stack is. */
function familyOf({ facts, holder }: GetStats): string {
  return endsWithCall(holder.class) || holder.class === 'page-table entry' ? `${holder.class} ${holder.function}` : String(facts.id)
}

/** What verdicts need of the trace as a whole, found out once. */
export interface Evidence {
  readonly end: EndOfTrace
  /** The longest hold of references that are neither mappings nor I/O: what "a moment" is in this trace. */
  readonly longest: number
  /** The same of those that are given back before the call that took them returns. */
  readonly inCall: number
  /** What each site's like gave and gave back: see `familyOf`. */
  readonly families: ReadonlyMap<string, Family>
  /** Functions (`SiteFacts.inner`) whose puts made pages free. */
  readonly freeing: ReadonlySet<number>
}

/** `out`: references that are still out, by site; `untold`: those of which that is not known. */
export function evidenceOf(end: EndOfTrace, out: ReadonlyMap<number, number>, untold: ReadonlyMap<number, number>): Evidence {
  const { sites, idled } = end.ledger
  const longest = { any: SHORTEST, inCall: 0 }
  const families = new Map<string, Family>()
  for (const stats of sites.allGets) {
    const { holder, longest: own } = stats
    const name = familyOf(stats)
    const family = families.get(name) ?? { followed: 0, returned: 0, longest: SHORTEST }
    families.set(name, family)
    const followed = Math.max(0, stats.taken - stats.abandoned - (untold.get(stats.facts.id) ?? 0))
    family.followed += followed
    family.returned += followed - (out.get(stats.facts.id) ?? 0)
    family.longest = Math.max(family.longest, own)
    if (outlivesCall(holder.class)) continue
    longest.any = Math.max(longest.any, own)
    if (endsWithCall(holder.class)) longest.inCall = Math.max(longest.inCall, own)
  }
  return {
    end,
    longest: longest.any,
    inCall: longest.inCall === 0 ? longest.any : Math.max(SHORTEST, longest.inCall),
    families,
    freeing: new Set([...idled.keys()].map((site) => sites.of(site).inner)),
  }
}

export function judge(evidence: Evidence, life: OpenLife, attribution: Attribution): Verdict {
  if (attribution.blamed.length === 0) return { severity: 'info', reason: 'nothing in the trace tells whose it is' }
  const verdicts = attribution.blamed.map((blamed) => judgeSite(evidence, life, attribution, blamed))
  // Several sites may be meant: an error only if it is one whichever it is. Sites that are all open: the worst.
  const ambiguous = attribution.blamed.some(({ share }) => share < 1)
  const order: readonly Severity[] = ambiguous ? ['info', 'unknown', 'error'] : ['error', 'unknown', 'info']
  for (const severity of order) {
    const found = verdicts.filter((one) => one.severity === severity)
    if (found.length > 0) return found.find((one) => one.old) ?? found[0]
  }
  return verdicts[0]
}

function judgeSite(evidence: Evidence, life: OpenLife, attribution: Attribution, blamed: Blamed): Verdict {
  const { end, longest } = evidence
  const { ledger } = end
  const stats = ledger.sites.statsOf(blamed.site)
  const family = stats && evidence.families.get(familyOf(stats))
  if (!stats || !family) return { severity: 'info', reason: 'the trace ends while it is held' }
  const holder = stats.holder.class
  const { followed, returned, longest: hold } = family
  // The more were given back in time, the surer their longest hold is a bound.
  const patience = (PATIENCE * USUAL.references) / Math.max(USUAL.references, returned)
  const quiet = end.known - life.last
  // What came to a page at rest and went again (a driver that looks whether it is free) takes no rest from it.
  const rested = end.known - Math.min(life.last, life.rests)
  const bare = holder === 'page-table entry' && unmapped(end, life, blamed.site)
  if (bare && quiet > Math.max(TIMES * evidence.inCall, patience)) {
    return {
      severity: 'error',
      reason: `the last event of the page says that nothing maps it any more (mapcount ${life.lastMapcount}), yet ${article(holder)} still counts`,
    }
  }
  if (bare)
    return { severity: 'info', odd: true, reason: `nothing maps the page any more, but the put of ${article(holder)} may be under way where the trace ends` }
  if (lastsAtWill(holder)) return { severity: 'info', reason: `${article(holder)} may last as long as user space likes` }
  const reference = life.open.find((one) => one.site === blamed.site)
  const since = reference?.time ?? life.last
  const pid = reference?.pid ?? life.lastPid
  const age = end.known - since
  const { otherCall, last } = ledger.seen.after(pid, stats.facts.call, since)
  const slow = Math.max(TIMES * hold, patience)
  const again = ledger.rounds.since(blamed.site, pid, since)
  const wentOn = otherCall !== undefined || last - since > slow || again >= ROUNDS
  const usual = followed >= USUAL.references && returned >= USUAL.part * followed
  if (usual && wentOn && age > (endsWithCall(holder) ? TIMES * hold : slow)) {
    const percent = Math.floor((1000 * returned) / followed) / 10
    return {
      severity: 'error',
      reason: `${stats.facts.id === Number(familyOf(stats)) ? 'this site' : `${stats.holder.function}()`} gives back ${percent} % of the ${grouped(Math.round(followed))} references it takes, after ${duration(hold)} at the most, and its task has gone on`,
    }
  }
  const never = returned < 0.5 * followed
  const spanned = attribution.how === 'removal' && blamed.share === 1
  const whole = (spanned || (never && isLone(end, life, attribution))) && !outlivesCall(holder)
  // The page went the way on which others became free, and did not: but for this reference it is at rest.
  const odd = whole && evidence.freeing.has(ledger.sites.of(life.lastSite).inner)
  // What took a page that was free may keep it for as long as it likes.
  const stands = never
    ? rested > longest && (odd || (spanned && holder !== 'driver allocation'))
    : odd && age > Math.max(endsWithCall(holder) ? 0 : patience, TIMES * hold * Math.max(1, USUAL.references / returned))
  if (whole && stands && (otherCall !== undefined || again >= ROUNDS)) {
    return {
      severity: 'error',
      never,
      reason: `${spanned ? 'all other references of these pages were given back, in the ways in which pages end here' : 'nothing maps the page any more, and where other pages became free it did not: all its other references were given back'}; the task that took it has returned from the call (${otherCall === undefined ? 'it has come there again and again since' : `it was seen in ${ledger.sites.callName(otherCall)} afterwards`})`,
    }
  }
  const old = wentOn && holder !== 'driver allocation' && age > (outlivesCall(holder) ? Math.max(TIMES * longest, slow) : TIMES * hold)
  if (outlivesCall(holder)) return { severity: 'info', old, reason: `${article(holder)} may be under way where the trace ends` }
  return {
    severity: 'info',
    odd,
    old,
    reason: wentOn ? 'nothing shows that it should have been given back yet' : 'its task may still be in the call that took it',
  }
}

/**
 * Whether one reference is all that a page without mappings has left, though no other page went its way: what a leak brings about, a migration that is
 * tried again and again, is seen at no other page. Not where a pin or a pipe's reference may have been taken for another.
 */
function isLone(end: EndOfTrace, life: OpenLife, attribution: Attribution): boolean {
  if (attribution.how !== 'matching' || attribution.blamed.length !== 1 || life.open.length !== 1 || life.late) return false
  if (!unmapped(end, life, attribution.blamed[0].site)) return false
  return life.dimensions.every((dimension) => {
    const holder = dimension % 2 === 0 ? end.ledger.sites.statsOf(siteOf(dimension))?.holder.class : undefined
    return holder === undefined || holder === 'page-table entry' || !outlivesCall(holder)
  })
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
