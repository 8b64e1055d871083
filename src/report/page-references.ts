/** One page's whole life with its references paired: which get was paid back by which put, as far as stacks, tasks and amounts tell. */
import type { AuditResult } from '../trace/audit.ts'
import { type HolderClass, holderOf, isZap } from '../trace/holder.ts'
import { notInModel } from '../trace/not-in-model.ts'
import { deltaOf, OP_NAMES, Op } from '../trace/page-event.ts'
import type { TraceTables } from '../trace/source.ts'
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

/** A reference from its get to its put. */
export interface LifeReference {
  readonly class: HolderClass
  /** Who took it. */
  readonly function: string
  readonly task: string
  readonly amount: number
  readonly from: number
  /** Null: still held at the end. */
  readonly to: number | null
  /** Events, by their place in `events`. */
  readonly get: number
  readonly put: number | null
  /** Where its bar is drawn: bars of one lane do not overlap. */
  readonly lane: number
}

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

interface Open {
  class: HolderClass
  function: string
  pid: number
  amount: number
  from: number
  get: number
  lane: number
  blamed: boolean
}

/** Where a life leaves the model: the first event it forbids. */
export interface Forbidden {
  /** Its place in `events`; null where it is not among them. */
  readonly event: number | null
  readonly why: string
}

export interface PageRule {
  readonly freeAt: number | undefined
  readonly type: string
  /** Call sites of references that were found never to be given back: frames, innermost first, joined by spaces. */
  readonly blamed?: ReadonlySet<string>
  readonly rejection?: { readonly time: number; readonly pid: number; readonly why: string }
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
    blamed: new Set(held.flatMap(({ callsites }) => callsites.map(({ stack }) => stack.join(' ')))),
    ...(rejected && told ? { rejection: { time: rejected.event.time, pid: rejected.event.pid, why: told.why.replace(/^One page: /, '') } } : {}),
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
  const references: LifeReference[] = []
  const open: Open[] = []
  let lanes = 0
  let before = NOT_KNOWN
  const breaks = timeline.breaks.filter((one) => one.pfn === pfn)
  let nextBreak = 0
  const close = (one: Open, put: number | null, time: number | null, amount: number): void => {
    references.push({ class: one.class, function: one.function, task: taskOf(one.pid), amount, from: one.from, to: time, get: one.get, put, lane: one.lane })
  }
  for (let i = from; i < from + shown; i++) {
    const time = timeline.time[i]
    while (nextBreak < breaks.length && breaks[nextBreak].time <= time) {
      // What was known of its holders is void from here.
      nextBreak++
      before = NOT_KNOWN
      for (const one of open.splice(0)) close(one, null, breaks[nextBreak - 1].time, one.amount)
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
    if (delta > 0 && op[i] !== Op.unfreeze) {
      const pins = delta >= 1023
      const holder = holderOf(frames, before === rule.freeAt || op[i] === Op.set, pins)
      const last = open[open.length - 1]
      if (delta === 1023 && last && last.amount === 1 && last.pid === pid[i]) {
        // The second step of a pin.
        last.amount = 1024
        last.class = holder.class
      } else {
        const used = new Set(open.map((one) => one.lane))
        let lane = 0
        while (used.has(lane)) lane++
        lanes = Math.max(lanes, lane + 1)
        open.push({
          class: holder.class,
          function: holder.function,
          pid: pid[i],
          amount: delta,
          from: time,
          get: number,
          lane,
          blamed: rule.blamed?.has(frames.join(' ')) === true,
        })
      }
    } else if (delta < 0 && op[i] !== Op.freeze) {
      let left = -delta
      while (left > 0 && open.length > 0) {
        const which = match(open, left, isZap(frames), pid[i])
        const one = open[which]
        const paid = Math.min(left, one.amount)
        left -= paid
        one.amount -= paid
        if (one.amount === 0) {
          close(one, number, time, paid)
          open.splice(which, 1)
        }
      }
    }
    before = after
  }
  for (const one of open) close(one, null, null, one.amount)
  references.sort((a, b) => a.from - b.from)
  const { rejection } = rule
  const rejectedAt = rejection
    ? events.findIndex(({ time, task }) => Math.abs(time - (rejection.time - timeline.start)) < 1 && task === taskOf(rejection.pid))
    : -1
  return {
    pfn,
    freeAt: rule.freeAt ?? null,
    type: rule.type,
    events,
    references,
    lanes,
    breaks: breaks.map(({ time, why }) => ({ time, why })),
    sites,
    forbidden: rejection ? { event: rejectedAt < 0 ? null : rejectedAt, why: rejection.why } : null,
    leftOut: to - from - shown,
  }
}

/** By how much an event changed the count; 0 where that is not known. */
function change(op: number, val: number, ret: number, before: number, after: number): number {
  const delta = deltaOf(op, val, ret)
  if (delta !== undefined) return delta
  return before === NOT_KNOWN || after === NOT_KNOWN ? 0 : after - before
}

/** The open reference that a put most likely pays back: not one that was found never to be given back; of its kind (pin, page-table entry), of its task, the youngest. */
function match(open: readonly Open[], amount: number, zap: boolean, pid: number): number {
  let best = 0
  let most = -1
  open.forEach((one, i) => {
    const value =
      (one.blamed ? 0 : 16) +
      (one.amount >= 1024 === amount >= 1024 ? 8 : 0) +
      ((one.class === 'page-table entry') === zap ? 4 : 0) +
      (one.pid === pid ? 2 : 0) +
      i / 1e6
    if (value > most) {
      most = value
      best = i
    }
  })
  return best
}
