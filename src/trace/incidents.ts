/** What the ledger met on the way: counts that went where they should not, and pages that were taken from those who held them. */
import type { Attribution } from './attribution.ts'
import type { EndOfTrace } from './end-of-trace.ts'
import type { CallSite, Finding } from './finding.ts'
import { explain, holders, nameOf, putName } from './held.ts'
import { outlivesCall } from './holder.ts'
import type { Incident } from './incident.ts'
import { references } from './matching.ts'
import { PATIENCE } from './verdict.ts'
import { count, grouped, listed } from './words.ts'

/** An incident with who held the page, as far as it is one of that kind. */
interface Judged {
  readonly incident: Incident
  readonly held: Attribution | undefined
}

const WORDS: Record<Incident['kind'], (n: string, first: Incident, free: number, name: string) => string> = {
  'below-free': (n, first, free, name) =>
    `${n} went below the value at which such a page is free (${free}): ${name}() put it from ${first.before} to ${first.after}, a reference it did not have`,
  'get-on-free': (n, first, _free, name) =>
    `${n} got a reference while free: ${name}() raised the count from ${first.before}, and nothing kept the page from being given to another`,
  'bad-free': (n, first, free, name) => {
    const out = references(first.before - free)
    const how = free === 1 && first.after >= free ? 'taken down' : 'given a new count'
    return `${n} ${n === '1 page' ? 'was' : 'were'} ${how} while held: in ${name}() the count went from ${first.before} to ${first.after}, and ${grouped(out)} ${out === 1 ? 'reference was' : 'references were'} still out`
  },
}

/** Whether it still is what it was taken for, now that the whole trace has told at which count pages are free. */
function stands({ kind, before, after }: Incident, free: number): boolean {
  if (kind === 'below-free') return after < free
  return kind === 'get-on-free' ? free === 0 && before === 0 : before > free
}

/** Whether a page is taken down where the trace ends, and what is out may be I/O that is under way. */
function waits(end: EndOfTrace, { kind, before, after, life }: Incident): boolean {
  if (kind !== 'bad-free' || after !== before - 1 || !life || life.open.length === 0) return false
  const { sites } = end.ledger
  return life.open.every(({ site, time }) => end.last - time < PATIENCE && outlivesCall(sites.statsOf(site)?.holder.class ?? 'other'))
}

export function incidentFindings(end: EndOfTrace): Finding[] {
  const { ledger } = end
  const groups = new Map<string, Judged[]>()
  for (const incident of ledger.incidents) {
    const { page, life } = incident
    if (incident.over || !end.isDevice(page) || !stands(incident, end.free(page))) continue
    const held = life && !Number.isNaN(life.earlier) && life.open.length > 0 ? explain(ledger, life) : undefined
    const whose = held?.blamed.map(({ site, share }) => `${site}:${share.toFixed(2)}`).sort() ?? []
    const key = `${incident.kind}/${incident.site}/${end.doubtful(incident.time)}/${waits(end, incident)}/${whose.join(',')}`
    const group = groups.get(key)
    if (group) group.push({ incident, held })
    else groups.set(key, [{ incident, held }])
  }
  return [...groups.values()].flatMap((group) => finding(end, group) ?? [])
}

function finding(end: EndOfTrace, group: readonly Judged[]): Finding | undefined {
  const { ledger } = end
  const [{ incident: first, held }] = group
  const { type } = ledger.areas.of(first.page)
  // A plain get brings a file's page back from 0 on kernels where it is idle at 0.
  if (first.kind === 'get-on-free' && type === 'fsdax') return undefined
  const pages = [...new Set(group.map(({ incident }) => incident.page.pfn))].sort((a, b) => a - b)
  const facts = ledger.sites.of(first.site)
  const name = first.kind === 'get-on-free' ? nameOf(ledger.sites.statsOf(first.site), facts.frames) : putName(end, first.site)
  const does: CallSite = { function: name, class: undefined, stack: facts.frames, references: group.length, share: 1 }
  const who = held ? holders(end, held, amountsOf(group)) : []
  const taken = who.length === 0 ? '' : `, taken by ${listed([...new Set(who.map((site) => `${site.function}()`))])}`
  const doubts = [
    type === 'unknown' ? ' Which type these pages have is not known, so the rule may be another.' : '',
    end.doubtful(first.time) ? ' Events are lost around that time, or their order cannot be told.' : '',
  ].join('')
  const waiting = waits(end, first)
  return {
    kind: first.kind,
    severity: doubts !== '' ? 'unknown' : waiting ? 'info' : 'error',
    why: `${WORDS[first.kind](count(pages.length, 'page'), first, end.free(first.page), name)}${taken}.${waiting ? ' They may be of I/O under way where the trace ends: the taking down waits for it.' : ''}${doubts}`,
    pages,
    references: group.length,
    callsites: [...who, does],
    example: { pfn: first.page.pfn, pid: first.pid, time: first.time, age: end.last - first.time },
  }
}

/** References of each site that is blamed, over a group. */
function amountsOf(group: readonly Judged[]): Map<number, number> {
  const amounts = new Map<number, number>()
  for (const { held } of group) for (const { site, amount } of held?.blamed ?? []) amounts.set(site, (amounts.get(site) ?? 0) + references(amount))
  return amounts
}
