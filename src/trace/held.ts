/** References that are open at the end: which call sites took them, and whether that is an error. */

import type { OpenLife, PageAccount } from './accounts.ts'
import { type Attribution, attribute } from './attribution.ts'
import type { EndOfTrace } from './end-of-trace.ts'
import type { CallSite, Finding, Severity } from './finding.ts'
import { lastsAtWill } from './holder.ts'
import type { Ledger } from './ledger.ts'
import { references } from './matching.ts'
import type { GetStats } from './sites.ts'
import { evidenceOf, judge, type Verdict } from './verdict.ts'
import { count, listed } from './words.ts'

interface Group {
  readonly severity: Severity
  readonly never: boolean
  readonly odd: boolean
  readonly old: boolean
  readonly reason: string
  readonly attribution: Attribution
  readonly pages: number[]
  readonly amounts: Map<number, number>
  references: number
  example: Finding['example']
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
  const attributions = new Map<string, Attribution>()
  const earlier = { pages: [] as number[], references: 0 }
  const lost: number[] = []
  const pages: Open[] = []
  /** References that are still out, by site; and those of which nothing can be told: neither given back nor known to be out. */
  const out = new Map<number, number>()
  const untold = new Map<number, number>()
  const cannotTell = (life: OpenLife | undefined): void => {
    for (const { site, amount } of life?.open ?? []) untold.set(site, (untold.get(site) ?? 0) + references(amount))
  }
  for (let i = 0; i < end.pages.length; i++) {
    const page = end.pages[i]
    const above = page.count - end.free(page)
    // Most pages are free: nothing more need be known of them.
    if (above <= 0) continue
    const account = ledger.account(page.index)
    const { life } = account
    if (account.tainted) {
      if (life || Number.isNaN(page.count)) lost.push(page.pfn)
      cannotTell(life)
      continue
    }
    if (!life || life.frozen || !(above > 0)) {
      cannotTell(life)
      continue
    }
    if (life.earlier > 0) {
      earlier.pages.push(page.pfn)
      earlier.references += life.earlier
    }
    if (Number.isNaN(life.earlier) || life.open.length === 0) {
      cannotTell(life)
      continue
    }
    const key = `${life.low}/${life.high}/${life.late}`
    let attribution = attributions.get(key)
    if (!attribution) {
      attribution = explain(ledger, life)
      attributions.set(key, attribution)
    }
    for (const { site, amount, share } of attribution.blamed) out.set(site, (out.get(site) ?? 0) + references(amount) * share)
    pages.push({ account, life, attribution })
  }
  const evidence = evidenceOf(end, out, untold)
  const groups = new Map<string, Group>()
  for (const { account, life, attribution } of pages) addTo(groups, account, life, attribution, judge(evidence, life, attribution), end.last)
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

/** Who took what a life still has open. Asked at the end, when all is learnt. */
export function explain(ledger: Ledger, life: OpenLife): Attribution {
  return life.late ? byMatching(life) : attribute(ledger, life)
}

function byMatching(life: OpenLife): Attribution {
  const left = new Map<number, number>()
  for (const reference of life.open) left.set(reference.site, (left.get(reference.site) ?? 0) + reference.amount)
  return { blamed: [...left].map(([site, amount]) => ({ site, amount, share: 1 })), how: 'matching', puts: [] }
}

function addTo(groups: Map<string, Group>, account: PageAccount, life: OpenLife, attribution: Attribution, verdict: Verdict, last: number): void {
  const key = `${verdict.severity}|${verdict.odd ?? false}|${verdict.old ?? false}|${attribution.how}|${attribution.blamed
    .map(({ site, share }) => `${site}:${share.toFixed(2)}`)
    .sort()
    .join(',')}`
  let group = groups.get(key)
  if (!group) {
    group = {
      severity: verdict.severity,
      never: verdict.never ?? false,
      odd: verdict.odd ?? false,
      old: verdict.old ?? false,
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

function finding(end: EndOfTrace, group: Group): Finding {
  const { ledger } = end
  const { attribution } = group
  const callsites = holders(end, attribution, group.amounts)
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
    odd: group.odd,
    old: group.old,
    why: `${what}${who}: ${group.reason}.${missing}`,
    pages: group.pages.sort(ascending),
    references: group.references,
    callsites,
    example: group.example,
  }
}

/** The sites that are blamed, whom to look at first in front. `amounts`: what each holds. */
export function holders({ ledger }: EndOfTrace, attribution: Attribution, amounts: ReadonlyMap<number, number>): CallSite[] {
  return attribution.blamed
    .map(({ site, share }) => {
      const stats = ledger.sites.statsOf(site)
      return {
        function: nameOf(stats, ledger.sites.of(site).frames),
        class: stats?.holder.class,
        stack: ledger.sites.of(site).frames,
        references: amounts.get(site) ?? 0,
        share,
      }
    })
    .sort((a, b) => b.share - a.share || rank(a) - rank(b) || b.references - a.references)
}

/** Sites that may hold at will come behind those that should not. */
function rank(site: CallSite): number {
  return site.class !== undefined && lastsAtWill(site.class) ? 1 : 0
}

/** The function to name for a put: the innermost. */
export function putName(end: EndOfTrace, site: number): string {
  return end.ledger.sites.of(site).frames[0] ?? 'an unknown caller (no stack was recorded)'
}

/** The function to name for a get: who took it, helpers passed over. */
export function nameOf(stats: GetStats | undefined, frames: readonly string[]): string {
  const name = stats?.holder.function || frames[0]
  return name ?? 'an unknown caller (no stack was recorded)'
}

function ascending(a: number, b: number): number {
  return a - b
}
