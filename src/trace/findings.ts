/** All findings of a trace, the one to look at first in front. */

import type { PageAccount } from './accounts.ts'
import type { Area } from './area.ts'
import type { EndOfTrace } from './end-of-trace.ts'
import type { CallSite, Finding, FindingKind, JudgedRange, Severity } from './finding.ts'
import { heldFindings, putName } from './held.ts'
import { incidentFindings } from './incidents.ts'
import type { KernelRules } from './kernel-rules.ts'
import { versionOf } from './page-flags.ts'
import { count, duration, listed } from './words.ts'

/** An event no order explains, kept for the end. */
export interface BadCount {
  readonly pfn: number
  readonly time: number
  readonly site: number
  readonly operation: string
  readonly before: number
  readonly said: string
  readonly sure: boolean
}

/** So many of the pages, and a count that cannot be is no longer believed to be the kernel's fault. */
const PART = 0.1

const SEVERITIES: readonly Severity[] = ['error', 'unknown', 'info']
const KINDS: readonly FindingKind[] = ['held', 'silent-idle', 'bad-free', 'below-free', 'get-on-free', 'bad-count', 'not-in-model']

/** Puts findings in order: what is sure before what is not, what many references speak for before what few do. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
      suspicion(b) - suspicion(a) ||
      b.references - a.references ||
      a.pages[0] - b.pages[0],
  )
}

/** Among what is no error: pages that are at rest but for one reference come first, then references that are older than any that ended, then those whose class should not last come before mappings, and these before what has no site. */
function suspicion(finding: Finding): number {
  const first = finding.callsites[0]
  if (!first) return 0
  if (finding.kind !== 'held') return 1
  if (finding.odd === true) return 5
  if (finding.old === true) return 4
  switch (first.class) {
    case 'page-table entry':
    case 'base reference':
    case 'split':
      return 1
    case 'pipe buffer':
    case 'GUP pin':
    case 'long-term pin':
      return 2
    default:
      return 3
  }
}

/** What the trace shows, without the conformance to the model; not yet in order. */
export function traceFindings(end: EndOfTrace, badCounts: readonly BadCount[], rules: KernelRules | undefined): Finding[] {
  end.ledger.matching.addLoops(end.ledger.span)
  return [...heldFindings(end), ...silentIdle(end, rules), ...incidentFindings(end), ...badCountFindings(end, badCounts)]
}

/** So long, and so many times as long as what went before, must nothing happen to any device page for a recording to be one of a hang, nanoseconds: most end when their command does. */
const STILL = 10e9
const STILL_PART = 0.1

/** How long the recording went on after the last event of any device page, where that is long enough to be a hang; undefined if it is not, or is not known. */
function standstill({ ledger, pages, last, stopped, first }: EndOfTrace): number | undefined {
  const at = pages.reduce((latest, page) => Math.max(latest, ledger.lastEventAt(page.index)), Number.NEGATIVE_INFINITY)
  const still = (typeof stopped === 'number' ? stopped : last) - at
  return still >= STILL && still >= STILL_PART * (at - first) ? still : undefined
}

/** A page that became idle by a put that wakes nobody, and was not touched since. */
function silentIdle(end: EndOfTrace, rules: KernelRules | undefined): Finding[] {
  if (!rules) return []
  const { ledger } = end
  // The model's kernel may stand for one that lies between it and the next: then the trace itself must show that pages are idle at this count.
  const exact = end.release !== undefined && versionOf(rules.kernel) === versionOf(end.release)
  const silent = new Map<number, Area>()
  for (const [site, { area }] of ledger.idled) {
    if (area.asModelled && (exact || area.zero + area.one > 0) && rules.wakesAtIdle(area.type, ledger.sites.of(site).frames) === false) silent.set(site, area)
  }
  if (silent.size === 0) return []
  const groups = new Map<string, { accounts: PageAccount[]; sites: Map<number, number>; area: Area }>()
  for (const page of end.pages) {
    const account = ledger.account(page.index)
    if (account.idledBy === 0) continue
    const area = silent.get(account.idledBy)
    if (!area) continue
    const name = putName(end, account.idledBy)
    let group = groups.get(name)
    if (!group) {
      group = { accounts: [], sites: new Map(), area }
      groups.set(name, group)
    }
    group.accounts.push(account)
    group.sites.set(account.idledBy, (group.sites.get(account.idledBy) ?? 0) + 1)
  }
  const findings: Finding[] = []
  const told = new Set<number>()
  const still = standstill(end)
  for (const [name, { accounts, sites, area }] of groups) {
    for (const site of sites.keys()) told.add(site)
    const one = accounts.length === 1
    const waiters = rules.waiters(area.type)
    const who =
      waiters.length > 0
        ? ` in ${listed(
            waiters.map((waiter) => `${waiter}()`),
            'or',
          )}`
        : ''
    accounts.sort((a, b) => b.idledAt - a.idledAt)
    const idle = `${count(accounts.length, 'page')} became idle (count ${area.freeAt}) by a put in ${name}(), which on ${rules.kernel} wakes nobody`
    const sleeps = `whoever waits${who} for ${one ? 'it' : 'one of them'} to become idle sleeps for ever`
    findings.push({
      kind: 'silent-idle',
      severity: still === undefined && end.stopped !== 'untold' ? 'unknown' : 'error',
      why:
        still !== undefined
          ? `${idle}: nobody holds ${one ? 'it' : 'them'}, yet ${sleeps}, and in the ${duration(still)} until the recording was stopped nothing more was done to any device page.`
          : end.stopped === 'untold'
            ? `${idle}: nobody holds ${one ? 'it' : 'them'}, yet ${sleeps} (that somebody waits no count event tells, nor does a text tell how long the recording went on).`
            : `${idle}: ${sleeps}, but that somebody waits no count event tells, and ${end.stopped === undefined ? 'how long this recording went on after its last one is not known' : 'this recording did not go on for long after its last one'}.`,
      pages: accounts.map(({ page }) => page.pfn).sort((a, b) => a - b),
      references: 0,
      callsites: sitesOf(end, sites),
      example: { pfn: accounts[0].page.pfn, pid: undefined, time: accounts[0].idledAt, age: end.last - accounts[0].idledAt },
    })
  }
  const others = [...silent.keys()].filter((site) => !told.has(site))
  if (others.length > 0) {
    const times = others.reduce((sum, site) => sum + (ledger.idled.get(site)?.count ?? 0), 0)
    findings.push({
      kind: 'silent-idle',
      severity: 'info',
      why: `${count(times, 'time')} a page became idle by a put that on ${rules.kernel} wakes nobody, in ${listed([...new Set(others.map((site) => `${putName(end, site)}()`))])}; each was used again afterwards.`,
      pages: [],
      references: 0,
      callsites: sitesOf(end, new Map(others.map((site) => [site, ledger.idled.get(site)?.count ?? 0]))),
      example: undefined,
    })
  }
  return findings
}

function sitesOf(end: EndOfTrace, sites: ReadonlyMap<number, number>): CallSite[] {
  return [...sites]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([site, times]) => ({ function: putName(end, site), class: undefined, stack: end.ledger.sites.of(site).frames, references: times, share: 1 }))
}

function badCountFindings(end: EndOfTrace, all: readonly BadCount[]): Finding[] {
  const groups = new Map<string, BadCount[]>()
  const surely = (said: BadCount): boolean => said.sure && !end.doubtful(said.time)
  // What a kernel does wrong it does to few pages. If the counts of many cannot be, the recording is of a part of what happened: one CPU, one task, a filter.
  const { size } = new Set(all.filter(surely).map(({ pfn }) => pfn))
  const part = size > 1 && size > PART * end.pages.length
  for (const said of all) {
    const one = { ...said, sure: surely(said) && !part }
    const key = `${one.sure}/${one.site}/${one.operation}`
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return [...groups.values()].map((group) => {
    const [first] = group
    const pages = [...new Set(group.map(({ pfn }) => pfn))].sort((a, b) => a - b)
    const facts = end.ledger.sites.of(first.site)
    return {
      kind: 'bad-count',
      severity: first.sure ? 'error' : 'unknown',
      why: first.sure
        ? `${count(pages.length, 'page')} had a count that no order of the events explains: ${first.operation} ${first.said} where all others say ${first.before}. Something changed it that is not traced.`
        : `${count(pages.length, 'page')} had a count that the events as recorded do not explain (${first.operation} ${first.said}, the others say ${first.before}); ${part ? 'so many pages are like that that the recording seems to hold a part of the events only (of one CPU, one task, or some kinds)' : 'time stamps or losses may be the reason'}.`,
      pages,
      references: group.length,
      callsites: [{ function: facts.frames[0] ?? '?', class: undefined, stack: facts.frames, references: group.length, share: 1 }],
      example: { pfn: first.pfn, pid: undefined, time: first.time, age: end.last - first.time },
    }
  })
}

/** The ranges that were judged, merged where neighbours follow one rule. */
export function judgedRanges(end: EndOfTrace): JudgedRange[] {
  const { ledger } = end
  const tally = new Map<Area, { pages: number; open: number }>()
  for (let i = 0; i < end.pages.length; i++) {
    const page = end.pages[i]
    const area = ledger.areas.of(page)
    const known = tally.get(area)
    const open = page.count > end.free(page) ? 1 : 0
    if (known) {
      known.pages++
      known.open += open
    } else tally.set(area, { pages: 1, open })
  }
  const ranges: JudgedRange[] = []
  const all = [...tally].sort(([a], [b]) => a.start - b.start)
  for (const [area, { pages, open }] of all) {
    const last = ranges[ranges.length - 1]
    const judged: JudgedRange = { start: area.start, end: area.end, type: area.type, freeAt: area.freeAt, from: area.from, name: area.range?.name, pages, open }
    // What no range told is one range as long as its pages lie together and nothing speaks against it.
    if (last && near(last, judged)) {
      const better = last.type === 'unknown' ? judged : last
      ranges[ranges.length - 1] = { ...better, start: last.start, end: judged.end, pages: last.pages + pages, open: last.open + open }
    } else ranges.push(judged)
  }
  return ranges
}

function near(a: JudgedRange, b: JudgedRange): boolean {
  if (!guessed(a) || !guessed(b) || b.start - a.end > 1 << 16) return false
  return (a.type === b.type && a.freeAt === b.freeAt) || a.type === 'unknown' || b.type === 'unknown'
}

function guessed(range: JudgedRange): boolean {
  return range.from === 'zone' || range.from === 'shape'
}
