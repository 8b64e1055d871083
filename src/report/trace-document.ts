/** What a report of a recording carries: the findings, the whole lives of the pages they name, and a reduced timeline. Format `putpage-trace-report/1`. */
import type { AuditResult } from '../trace/audit.ts'
import type { TraceTables } from '../trace/source.ts'
import { type PageLife, pageLife, pageRule } from './page-references.ts'
import { NOT_KNOWN, type Timeline, type TimelineDetails } from './timeline.ts'
import { auditJson } from './trace-json.ts'
import { grouped } from './wrap.ts'

export const TRACE_REPORT_FORMAT = 'putpage-trace-report/1'

/** Rows of the reduced timeline, and points a row. */
const MOST_ROWS = 500
const MOST_POINTS = 240
/** The usual count, and a way up and down from it. */
const POINTS_A_STRETCH = 5
/** Pages told whole: of one finding, of all, and events of all together. */
const LIVES_A_FINDING = 24
const MOST_LIVES = 60
const MOST_LIFE_EVENTS = 30_000

export interface TraceDocument {
  readonly format: typeof TRACE_REPORT_FORMAT
  readonly name: string
  readonly report: unknown
  /** Nanoseconds: the trace's clock, and how long it lasts. */
  readonly start: number
  readonly end: number
  readonly rows: readonly ReducedRow[]
  readonly lives: readonly PageLife[]
  readonly heldToModel: boolean
  /** A sentence; empty if nothing is. */
  readonly leftOut: string
}

/** A page's count over time with few points: of each stretch that of the longest time, the lowest and the highest. */
export interface ReducedRow {
  readonly pfn: number
  /** Microseconds between points. */
  readonly steps: readonly number[]
  /** Null: not known. */
  readonly counts: readonly (number | null)[]
}

export function traceDocument(name: string, result: AuditResult, timeline: Timeline, details: TimelineDetails, tables: TraceTables): TraceDocument {
  const pageAt = new Map([...timeline.pfns].map((pfn, index): [number, number] => [pfn, index]))
  const named = [...new Set(result.findings.flatMap(({ pages, example }) => [...(example ? [example.pfn] : []), ...pages.slice(0, LIVES_A_FINDING)]))].filter(
    (pfn) => pageAt.has(pfn),
  )
  const lives: PageLife[] = []
  let told = 0
  for (const pfn of named.slice(0, MOST_LIVES)) {
    if (told >= MOST_LIFE_EVENTS) break
    const life = pageLife(timeline, details, tables, pageAt.get(pfn) as number, pageRule(result, pfn), Math.min(4000, MOST_LIFE_EVENTS - told))
    told += life.events.length
    lives.push(life)
  }
  const chosen = rowsToShow(
    timeline,
    [...new Set(result.findings.flatMap(({ pages }) => pages))].flatMap((pfn) => pageAt.get(pfn) ?? []),
  )
  const all = new Set(result.findings.flatMap(({ pages }) => pages)).size
  const left = [
    timeline.pfns.length > chosen.length ? `the counts of ${grouped(timeline.pfns.length - chosen.length)} of ${grouped(timeline.pfns.length)} pages` : '',
    all > lives.length ? `the events of ${grouped(all - lives.length)} of ${grouped(all)} pages that findings name` : '',
    lives.some(({ leftOut }) => leftOut > 0) ? 'the later events of very long lives' : '',
  ].filter((part) => part !== '')
  const reduced = timeline.time.length > chosen.reduce((sum, page) => sum + Math.min(MOST_POINTS, timeline.offsets[page + 1] - timeline.offsets[page]), 0)
  return {
    format: TRACE_REPORT_FORMAT,
    name,
    report: auditJson(result),
    start: timeline.start,
    end: timeline.end,
    rows: chosen.map((page) => reducedRow(timeline, page)),
    lives,
    heldToModel: result.conformance !== undefined && result.kernel !== undefined,
    leftOut: [
      left.length > 0 ? `Left out: ${left.join('; ')}.` : '',
      reduced ? 'Rows are reduced: of each stretch the usual count, the lowest and the highest.' : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
  }
}

/** Pages of findings first, the rest spread over all. */
function rowsToShow(timeline: Timeline, wrong: readonly number[]): number[] {
  const total = timeline.pfns.length
  const chosen = new Set(wrong.slice(0, MOST_ROWS))
  const room = MOST_ROWS - chosen.size
  const step = Math.max(1, Math.ceil(total / Math.max(1, room)))
  for (let page = 0; page < total && chosen.size < MOST_ROWS; page += step) chosen.add(page)
  return [...chosen].sort((a, b) => a - b)
}

export function reducedRow(timeline: Timeline, page: number): ReducedRow {
  const from = timeline.offsets[page]
  const to = timeline.offsets[page + 1]
  const points =
    to - from <= MOST_POINTS
      ? Array.from({ length: to - from }, (_, i): Point => [timeline.time[from + i], timeline.count[from + i]])
      : reduced(timeline, from, to)
  let before = 0
  return {
    pfn: timeline.pfns[page],
    steps: points.map(([time]) => {
      const now = Math.round(time / 1000)
      const step = now - before
      before = now
      return step
    }),
    counts: points.map(([, count]) => (count === NOT_KNOWN ? null : count)),
  }
}

/** A time, and the count from then on. */
type Point = readonly [number, number]

/**
 * A long row with few points: of each stretch the count that it had for the longest time, and where it was highest and lowest for as long as that lasted.
 * What is kept must not look as if a page had been held that was taken and given back all the while.
 */
function reduced({ time, count }: Timeline, from: number, to: number): Point[] {
  const stretches = Math.floor(MOST_POINTS / POINTS_A_STRETCH)
  const points: Point[] = []
  const add = (at: number, value: number): void => {
    if (points.at(-1)?.[1] !== value) points.push([at, value])
  }
  for (let k = 0; k < stretches; k++) {
    const start = from + Math.floor(((to - from) * k) / stretches)
    const end = from + Math.floor(((to - from) * (k + 1)) / stretches)
    const until = (i: number): number => (i + 1 < to ? time[i + 1] : time[i])
    const lasted = new Map<number, number>()
    let low = start
    let high = start
    for (let i = start; i < end; i++) {
      lasted.set(count[i], (lasted.get(count[i]) ?? 0) + until(i) - time[i])
      if (count[i] < count[low]) low = i
      if (count[i] > count[high]) high = i
    }
    const usual = [...lasted].reduce((longest, one) => (one[1] > longest[1] ? one : longest))[0]
    add(time[start], usual)
    for (const i of low < high ? [low, high] : [high, low]) {
      if (count[i] === usual) continue
      add(time[i], count[i])
      if (i + 1 < to) add(time[i + 1], usual)
    }
  }
  // How it ends is how it was.
  add(time[to - 1], count[to - 1])
  return points
}
