/** One page's whole life with its references paired: which get was paid back by which put, as far as stacks, tasks and amounts tell. */
import type { AuditResult } from '../trace/audit.ts'
import type { Rejection } from '../trace/held-conformance.ts'
import { holderOf, isZap } from '../trace/holder.ts'
import { notInModel } from '../trace/not-in-model.ts'
import { deltaOf, OP_NAMES, Op } from '../trace/page-event.ts'
import type { TraceTables } from '../trace/source.ts'
import { type BesideModel, besideModel } from './beside-model.ts'
import { type PairedReference, Pairing } from './pairing.ts'
import { NOT_KNOWN, type Timeline, type TimelineDetails } from './timeline.ts'

export interface LifeEvent {
  /** Nanoseconds since the timeline's start. */
  readonly time: number
  readonly op: string
  readonly val: number
  /** The count before and after; null where it is not known. */
  readonly before: number | null
  readonly after: number | null
  readonly refused: boolean
  readonly task: string
  /** Index into `PageLife.sites`. */
  readonly site: number
}

/** A reference, its task by name. */
export type LifeReference = Omit<PairedReference, 'pid'> & { readonly task: string }

export interface PageLife {
  readonly pfn: number
  readonly freeAt: number | null
  readonly type: string
  readonly events: readonly LifeEvent[]
  readonly references: readonly LifeReference[]
  readonly lanes: number
  readonly breaks: readonly { readonly time: number; readonly why: string }[]
  /** Frames of each call site, innermost first. */
  readonly sites: readonly (readonly string[])[]
  /** Null: the model forbids nothing in it, or it was not held to the model. */
  readonly forbidden: Forbidden | null
  /** Events that are left out because there are too many. */
  readonly leftOut: number
}

/** Events of a page that are told. */
export const MOST_EVENTS = 4000

/** Where a life leaves the model: the first event it forbids. */
export interface Forbidden {
  /** Its place in `events`; null where it is not among them. */
  readonly event: number | null
  readonly why: string
  readonly beside: BesideModel
}

export interface PageRule {
  readonly freeAt: number | undefined
  readonly type: string
  /** Call sites of references that were found never to be given back: frames, innermost first, joined by spaces. */
  readonly blamed?: ReadonlySet<string>
  /** How often a put's call site was seen to pay back a get's where there was no choice. */
  readonly paid?: (put: number, get: number) => number
  readonly rejection?: { readonly rejected: Rejection; readonly kernel: string; readonly why: string }
}

/** The rule of a page by what an audit found. */
export function pageRule(result: AuditResult, pfn: number): PageRule {
  const range = result.ranges.find(({ start, end }) => pfn >= start && pfn <= end)
  const held = result.findings.filter(({ kind, pages }) => kind === 'held' && pages.includes(pfn))
  const rejected = result.conformance?.rejections.find(({ page }) => page.pfn === pfn)
  const [told] = rejected ? notInModel([rejected], result.kernel ?? '', result.summary.tables) : []
  return {
    freeAt: range?.freeAt,
    type: range?.type ?? 'unknown',
    paid: result.paid,
    blamed: new Set(held.flatMap(({ callsites }) => callsites.map(({ stack }) => stack.join(' ')))),
    ...(rejected && told ? { rejection: { rejected, kernel: result.kernel ?? '', why: told.why.replace(/^One page: /, '') } } : {}),
  }
}

/** The life of the page at `index` of the timeline. */
export function pageLife(
  timeline: Timeline,
  { stack, pid, val, op, ret }: TimelineDetails,
  tables: TraceTables,
  index: number,
  rule: PageRule,
  most = MOST_EVENTS,
): PageLife {
  const from = timeline.offsets[index]
  const to = timeline.offsets[index + 1]
  const shown = Math.min(to - from, most)
  const pfn = timeline.pfns[index]
  const siteIds = new Map<number, number>()
  const sites: (readonly string[])[] = []
  const siteOf = (id: number): number => {
    const site = tables.site(id)
    let known = siteIds.get(site)
    if (known === undefined) {
      known = sites.length
      sites.push(tables.siteFrames(site))
      siteIds.set(site, known)
    }
    return known
  }
  const taskOf = (id: number): string => `${tables.comm(id) ?? '<...>'}-${id}`
  const events: LifeEvent[] = []
  const pairing = new Pairing(rule.paid ?? (() => 0))
  let before = NOT_KNOWN
  const breaks = timeline.breaks.filter((one) => one.pfn === pfn)
  let nextBreak = 0
  for (let i = from; i < from + shown; i++) {
    const time = timeline.time[i]
    while (nextBreak < breaks.length && breaks[nextBreak].time <= time) {
      // What was known of its holders is void from here.
      nextBreak++
      before = NOT_KNOWN
      pairing.forget(breaks[nextBreak - 1].time)
    }
    const after = timeline.count[i]
    const site = siteOf(stack[i])
    const frames = sites[site]
    const number = events.length
    // A count that is stored, whatever it was before, begins a life.
    const delta = op[i] === Op.set && before === NOT_KNOWN ? Math.max(0, after - (rule.freeAt ?? after)) : change(op[i], val[i], ret[i], before, after)
    events.push({
      time,
      op: OP_NAMES[op[i]].slice('page_ref_'.length),
      val: val[i],
      before: before === NOT_KNOWN ? null : before,
      after: after === NOT_KNOWN ? null : after,
      refused: (op[i] === Op.modUnless || op[i] === Op.freeze) && ret[i] === 0,
      task: taskOf(pid[i]),
      site,
    })
    // References from before what is known of the page are told from what is above the free count.
    if (before === NOT_KNOWN && op[i] !== Op.set)
      pairing.above(after === NOT_KNOWN || rule.freeAt === undefined ? Number.POSITIVE_INFINITY : after - delta - rule.freeAt)
    const at = { time, event: number, pid: pid[i], site: tables.site(stack[i]) }
    if (delta > 0 && op[i] !== Op.unfreeze) {
      const holder = holderOf(frames, before === rule.freeAt || op[i] === Op.set, delta >= 1023)
      pairing.take({ ...at, class: holder.class, function: holder.function, amount: delta, blamed: rule.blamed?.has(frames.join(' ')) === true })
    } else if (delta < 0 && op[i] !== Op.freeze) {
      pairing.give({ ...at, amount: -delta, zap: isZap(frames) })
      // What is open on a free page was paid back by a put that was taken for another's.
      if (after === rule.freeAt) pairing.forget(time)
    }
    before = after
  }
  pairing.forget(null)
  const { lanes } = pairing
  const references = pairing.references.map(({ pid: id, ...one }): LifeReference => ({ ...one, task: taskOf(id) })).sort((a, b) => a.from - b.from)
  const placeOf = (time: number, id: number): number => events.findIndex((one) => Math.abs(one.time - (time - timeline.start)) < 1 && one.task === taskOf(id))
  return {
    pfn,
    freeAt: rule.freeAt ?? null,
    type: rule.type,
    events,
    references,
    lanes,
    breaks: breaks.map(({ time, why }) => ({ time, why })),
    sites,
    forbidden: rule.rejection ? forbiddenBy(rule.rejection, taskOf, placeOf) : null,
    leftOut: to - from - shown,
  }
}

function forbiddenBy(
  { rejected, kernel, why }: NonNullable<PageRule['rejection']>,
  taskOf: (pid: number) => string,
  placeOf: (time: number, pid: number) => number,
): Forbidden {
  const { time, pid } = rejected.event
  const at = placeOf(time, pid)
  return { event: at < 0 ? null : at, why, beside: besideModel(rejected, kernel, taskOf(pid), placeOf) }
}

/** By how much an event changed the count; 0 where that is not known. */
function change(op: number, val: number, ret: number, before: number, after: number): number {
  const delta = deltaOf(op, val, ret)
  if (delta !== undefined) return delta
  return before === NOT_KNOWN || after === NOT_KNOWN ? 0 : after - before
}
