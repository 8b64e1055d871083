/** The timeline: all device pages, dragged, zoomed and chosen from. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Timeline as Data } from '../../../src/report/timeline.ts'
import { AXIS, type Colours, coloursOf, draw, duration, GUTTER, type Mark, type View } from './draw.ts'
import { Levels } from './levels.ts'
import type { TraceReport } from './protocol.ts'

export const ORDERS = ['findings first', 'frame number', 'most events', 'still held first'] as const
export type Order = (typeof ORDERS)[number]

interface TimelineProps {
  readonly timeline: Data
  readonly report: TraceReport
  readonly order: Order
  readonly filter: string
  readonly selected: number | undefined
  readonly view: View
  readonly onView: (view: View) => void
  readonly onSelect: (page: number) => void
}

/** The page of a frame number; -1 if it has no events. */
export function pageOf(timeline: Data, pfn: number): number {
  let low = 0
  let high = timeline.pfns.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    if (timeline.pfns[middle] === pfn) return middle
    if (timeline.pfns[middle] < pfn) low = middle + 1
    else high = middle - 1
  }
  return -1
}

const SEVERITY = { error: 0, unknown: 1, info: 2 }

/** What is wrong, by page: never aggregated away. */
export function marksOf(timeline: Data, report: TraceReport): Map<number, Mark[]> {
  const marks = new Map<number, Mark[]>()
  for (const finding of report.findings) {
    for (const text of finding.pages) {
      const page = pageOf(timeline, Number(text))
      if (page < 0) continue
      const { example, severity } = finding
      const last = timeline.time[timeline.offsets[page + 1] - 1]
      const time = example && Number(example.page) === Number(text) && example.time !== null ? example.time - timeline.start : last
      marks.set(
        page,
        [...(marks.get(page) ?? []), { time: Math.max(0, Math.min(timeline.end, time)), severity }].sort((a, b) => SEVERITY[a.severity] - SEVERITY[b.severity]),
      )
    }
  }
  return marks
}

/** The rule of each page: by the range it is in. */
export function rulesOf(timeline: Data, report: TraceReport): { readonly freeAt: Int32Array; readonly typeOf: (page: number) => string } {
  const ranges = report.ranges.map((range) => ({ ...range, from: Number(range.start), to: Number(range.end) }))
  const freeAt = new Int32Array(timeline.pfns.length)
  const range = new Int16Array(timeline.pfns.length).fill(-1)
  for (let page = 0; page < timeline.pfns.length; page++) {
    const pfn = timeline.pfns[page]
    const at = ranges.findIndex(({ from, to }) => pfn >= from && pfn <= to)
    range[page] = at
    freeAt[page] = at < 0 ? 0 : ranges[at].freeAt
  }
  return { freeAt, typeOf: (page) => (range[page] < 0 ? '?' : ranges[range[page]].type) }
}

export function Timeline({ timeline, report, order, filter, selected, view, onView, onSelect }: TimelineProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState({ width: 800, height: 400 })
  const [theme, setTheme] = useState(0)
  const levels = useMemo(() => new Levels(timeline), [timeline])
  const marks = useMemo(() => marksOf(timeline, report), [timeline, report])
  const rules = useMemo(() => rulesOf(timeline, report), [timeline, report])
  const rows = useMemo(() => rowsOf(timeline, order, filter, marks, rules.freeAt), [timeline, order, filter, marks, rules])
  const marked = useMemo(() => (filter.trim() === '' ? marks.size : rows.reduce((sum, page) => sum + (marks.has(page) ? 1 : 0), 0)), [rows, marks, filter])
  const colours = useRef<Colours | undefined>(undefined)
  const [hover, setHover] = useState('')

  useEffect(() => {
    const area = canvas.current?.parentElement
    if (!area) return
    const watch = new ResizeObserver(() => setSize({ width: area.clientWidth, height: area.clientHeight }))
    watch.observe(area)
    const repaint = (): void => setTheme((now) => now + 1)
    addEventListener('putpage-theme', repaint)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', repaint)
    return () => {
      watch.disconnect()
      removeEventListener('putpage-theme', repaint)
      dark.removeEventListener('change', repaint)
    }
  }, [])
  useEffect(() => {
    if (canvas.current) colours.current = coloursOf(canvas.current.parentElement as Element)
  }, [theme])
  useEffect(() => {
    const at = canvas.current
    if (!at) return
    const frame = requestAnimationFrame(() => {
      const ratio = devicePixelRatio
      if (at.width !== size.width * ratio || at.height !== size.height * ratio) {
        at.width = size.width * ratio
        at.height = size.height * ratio
      }
      const context = at.getContext('2d') as CanvasRenderingContext2D
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      colours.current ??= coloursOf(at.parentElement as Element)
      const started = performance.now()
      draw(
        context,
        size.width,
        size.height,
        view,
        { timeline, levels, rows, freeAt: rules.freeAt, typeOf: rules.typeOf, marks, marked, selected },
        colours.current,
      )
      at.dataset.drawn = (performance.now() - started).toFixed(2)
    })
    return () => cancelAnimationFrame(frame)
  }, [size, view, timeline, rows, marks, rules, selected, theme])

  // Whoever typed a frame means that page.
  useEffect(() => {
    if (filter.trim() !== '' && rows.length === 1) onSelect(rows[0])
  }, [rows, filter])
  /** Where the pointer is, or undefined: keys zoom about it. */
  const pointer = useRef<number | undefined>(undefined)
  const now = useRef(view)
  now.current = view
  const set = (next: Partial<View>): void => {
    const merged = { ...now.current, ...next }
    const span = Math.min(Math.max(merged.to - merged.from, 1000), timeline.end * 1.02 + 1000)
    const from = Math.max(-timeline.end * 0.01, Math.min(merged.from, timeline.end * 1.01 - span))
    const visible = (size.height - AXIS) / merged.rowHeight
    const top = Math.max(0, Math.min(merged.top, Math.max(0, rows.length - visible + 1)))
    now.current = { from, to: from + span, top, rowHeight: merged.rowHeight }
    onView(now.current)
  }
  const zoom = (factor: number, x = pointer.current ?? GUTTER + (size.width - GUTTER) / 2): void => {
    setHover('')
    const { from, to } = now.current
    const at = from + ((x - GUTTER) / (size.width - GUTTER)) * (to - from)
    set({ from: at - (at - from) * factor, to: at + (to - at) * factor })
  }
  const pan = (share: number): void => {
    const { from, to } = now.current
    set({ from: from + (to - from) * share, to: to + (to - from) * share })
  }
  useEffect(() => {
    const at = canvas.current
    if (!at) return
    const wheel = (event: WheelEvent): void => {
      event.preventDefault()
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX)
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 1000)
      else set({ top: now.current.top + event.deltaY / now.current.rowHeight })
    }
    at.addEventListener('wheel', wheel, { passive: false })
    return () => at.removeEventListener('wheel', wheel)
  }, [size, rows, timeline])
  const rowAt = (y: number): number | undefined => {
    const row = Math.floor(now.current.top + (y - AXIS) / now.current.rowHeight)
    return y > AXIS && row >= 0 && row < rows.length ? rows[row] : undefined
  }
  const drag = useRef<{ x: number; y: number; moved: boolean; view: View } | undefined>(undefined)
  const key = (event: KeyboardEvent): void => {
    const actions: Record<string, () => void> = {
      w: () => zoom(0.8),
      s: () => zoom(1.25),
      a: () => pan(-0.15),
      d: () => pan(0.15),
      ArrowLeft: () => pan(-0.15),
      ArrowRight: () => pan(0.15),
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      PageDown: () => set({ top: now.current.top + (size.height - AXIS) / now.current.rowHeight }),
      PageUp: () => set({ top: now.current.top - (size.height - AXIS) / now.current.rowHeight }),
      '+': () => set({ rowHeight: Math.min(60, now.current.rowHeight * 1.3) }),
      '-': () => set({ rowHeight: Math.max(2, now.current.rowHeight / 1.3) }),
      Home: () => set({ from: 0, to: timeline.end, top: 0 }),
    }
    const action = actions[event.key]
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    action()
  }
  /** The page above or below the chosen one. */
  const step = (by: number): void => {
    const at = selected === undefined ? -1 : rows.indexOf(selected)
    const next = Math.max(0, Math.min(rows.length - 1, at + by))
    if (rows.length === 0) return
    onSelect(rows[next])
    const visible = (size.height - AXIS) / now.current.rowHeight
    if (next < now.current.top) set({ top: next })
    else if (next > now.current.top + visible - 2) set({ top: next - visible + 2 })
  }
  return (
    <div class="canvasbox">
      <canvas
        ref={canvas}
        // A picture that is moved by keys; what it shows is also in the tables.
        role="application"
        tabIndex={0}
        aria-label={`Timeline of ${rows.length.toLocaleString('en')} pages over ${duration(timeline.end, 1e6)}. Arrows up and down choose a page, left and right move, w and s zoom, plus and minus change the rows' height.`}
        onKeyDown={key}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          drag.current = { x: event.offsetX, y: event.offsetY, moved: false, view: now.current }
        }}
        onPointerLeave={() => {
          pointer.current = undefined
          setHover('')
        }}
        onPointerMove={(event) => {
          pointer.current = Math.max(GUTTER, event.offsetX)
          const from = drag.current
          if (from) {
            const dx = event.offsetX - from.x
            const dy = event.offsetY - from.y
            if (Math.abs(dx) + Math.abs(dy) > 3) from.moved = true
            const perPixel = (from.view.to - from.view.from) / (size.width - GUTTER)
            if (from.moved) set({ from: from.view.from - dx * perPixel, to: from.view.to - dx * perPixel, top: from.view.top - dy / from.view.rowHeight })
            return
          }
          const page = rowAt(event.offsetY)
          const time = now.current.from + ((event.offsetX - GUTTER) / (size.width - GUTTER)) * (now.current.to - now.current.from)
          setHover(page === undefined ? '' : `0x${timeline.pfns[page].toString(16)} at ${duration(time, 1e3)}: count ${countAt(timeline, page, time)}`)
        }}
        onPointerUp={(event) => {
          const from = drag.current
          drag.current = undefined
          const page = rowAt(event.offsetY)
          if (from && !from.moved && page !== undefined) onSelect(page)
        }}
      />
      <output class="hover">{rows.length === 0 ? 'no page of this recording matches' : hover}</output>
    </div>
  )
}

function rowsOf(timeline: Data, order: Order, filter: string, marks: ReadonlyMap<number, readonly Mark[]>, freeAt: Int32Array): Uint32Array {
  const { pfns, offsets, count } = timeline
  const words = filter.trim().toLowerCase()
  const pages: number[] = []
  for (let page = 0; page < pfns.length; page++) if (words === '' || `0x${pfns[page].toString(16)}`.includes(words)) pages.push(page)
  const events = (page: number): number => offsets[page + 1] - offsets[page]
  const worst = (page: number): number => {
    const found = marks.get(page)
    return found ? SEVERITY[found[0].severity] : 3
  }
  const open = (page: number): number => (count[offsets[page + 1] - 1] > freeAt[page] ? 0 : 1)
  if (order === 'most events') pages.sort((a, b) => events(b) - events(a) || a - b)
  if (order === 'findings first') pages.sort((a, b) => worst(a) - worst(b) || a - b)
  if (order === 'still held first') pages.sort((a, b) => open(a) - open(b) || a - b)
  return Uint32Array.from(pages)
}

function countAt({ offsets, time, count }: Data, page: number, at: number): string {
  let found = -1
  let low = offsets[page]
  let high = offsets[page + 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (time[middle] <= at) {
      found = middle
      low = middle + 1
    } else high = middle
  }
  return found < 0 || count[found] === -(2 ** 31) ? 'not known' : String(count[found])
}
