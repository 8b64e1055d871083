/** All findings of a trace, the one to look at first in front. */

import type { PageAccount } from './accounts.ts'
import type { Area } from './area.ts'
import type { CallSite, Finding, FindingKind, JudgedRange, Severity } from './finding.ts'
import { count, type EndOfTrace, heldFindings, listed, nameOf } from './held.ts'
import type { KernelRules } from './kernel-rules.ts'
import type { Incident } from './ledger.ts'
import { versionOf } from './page-flags.ts'

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

/** Among what is no error: references whose class should not last come before mappings, and these before what has no site. */
function suspicion(finding: Finding): number {
  const first = finding.callsites[0]
  if (!first) return 0
  if (finding.kind !== 'held') return 1
  switch (first.class) {
    case 'page-table entry':
    case 'base reference':
    case 'split':
      return 1
    case 'pipe buffer':
    case 'GUP pin':
      return 2
    default:
      return 3
  }
}

/** What the trace shows, without the conformance to the model; not yet in order. */
export function traceFindings(end: EndOfTrace, badCounts: readonly BadCount[], rules: KernelRules | undefined): Finding[] {
  return [...heldFindings(end), ...silentIdle(end, rules), ...incidents(end), ...badCountFindings(end, badCounts)]
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
    findings.push({
      kind: 'silent-idle',
      severity: 'error',
      why: `${count(accounts.length, 'page')} became idle (count ${area.freeAt}) by a put in ${name}(), which on ${rules.kernel} wakes nobody: nobody holds ${one ? 'it' : 'them'}, yet whoever waits${who} for ${one ? 'it' : 'one of them'} to become idle sleeps for ever.`,
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

/** The function to name for a put: the innermost. */
function putName(end: EndOfTrace, site: number): string {
  return end.ledger.sites.of(site).frames[0] ?? 'an unknown caller (no stack was recorded)'
}

const INCIDENT: Record<Incident['kind'], (n: string, first: Incident, free: number, name: string) => string> = {
  'below-free': (n, first, free, name) =>
    `${n} went below the value at which such a page is free (${free}): ${name}() put it from ${first.before} to ${first.after}, a reference it did not have.`,
  'get-on-free': (n, first, _free, name) =>
    `${n} got a reference while free: ${name}() raised the count from ${first.before}, and nothing kept the page from being given to another.`,
  'bad-free': (n, first, free, name) =>
    `${n} ${free === 1 && first.after >= free ? 'was taken down while held' : 'was given a new count while held'}: in ${name}() the count went from ${first.before} to ${first.after}, and ${first.before - free} ${first.before - free === 1 ? 'reference was' : 'references were'} still out.`,
}

/** Whether it still is what it was taken for, now that the whole trace has told at which count pages are free. */
function stands({ kind, before, after }: Incident, free: number): boolean {
  if (kind === 'below-free') return after < free
  return kind === 'get-on-free' ? free === 0 && before === 0 : before > free
}

function incidents(end: EndOfTrace): Finding[] {
  const { ledger } = end
  const groups = new Map<string, Incident[]>()
  for (const incident of ledger.incidents) {
    const { page } = incident
    if (!end.isDevice(page) || !stands(incident, end.free(page))) continue
    const key = `${incident.kind}/${incident.site}`
    const group = groups.get(key)
    if (group) group.push(incident)
    else groups.set(key, [incident])
  }
  const findings: Finding[] = []
  for (const group of groups.values()) {
    const [first] = group
    const area = ledger.areas.of(first.page)
    const free = end.free(first.page)
    const pages = [...new Set(group.map(({ page }) => page.pfn))].sort((a, b) => a - b)
    const facts = ledger.sites.of(first.site)
    const name = first.kind === 'get-on-free' ? nameOf(ledger.sites.statsOf(first.site), facts.frames) : putName(end, first.site)
    const legal = first.kind === 'get-on-free' && area.type === 'fsdax'
    if (legal) continue
    const sure = area.type !== 'unknown'
    findings.push({
      kind: first.kind,
      severity: sure ? 'error' : 'unknown',
      why: `${INCIDENT[first.kind](count(pages.length, 'page'), first, free, name)}${sure ? '' : ' Which type these pages have is not known, so the rule may be another.'}`,
      pages,
      references: group.length,
      callsites: [{ function: name, class: undefined, stack: facts.frames, references: group.length, share: 1 }],
      example: { pfn: first.page.pfn, pid: first.pid, time: first.time, age: end.last - first.time },
    })
  }
  return findings
}

function badCountFindings(end: EndOfTrace, all: readonly BadCount[]): Finding[] {
  const groups = new Map<string, BadCount[]>()
  for (const one of all) {
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
        : `${count(pages.length, 'page')} had a count that the events as recorded do not explain (${first.operation} ${first.said}, the others say ${first.before}); time stamps or losses may be the reason.`,
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
