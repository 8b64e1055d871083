/** Draws the timeline: a row a page, its count as a step line over the shade of being held; what is wrong on top, never aggregated away. */
import { NOT_KNOWN, type Timeline } from '../../../src/report/timeline.ts'
import { firstFrom, type Levels } from './levels.ts'

export interface View {
  /** Nanoseconds since the timeline's start. */
  readonly from: number
  readonly to: number
  /** Rows scrolled past, and pixels a row. */
  readonly top: number
  readonly rowHeight: number
}

export interface Mark {
  readonly time: number
  readonly severity: 'error' | 'unknown' | 'info'
}

export interface Picture {
  readonly timeline: Timeline
  readonly levels: Levels
  /** Pages in the order of their rows. */
  readonly rows: Uint32Array
  readonly freeAt: Int32Array
  readonly typeOf: (page: number) => string
  readonly marks: ReadonlyMap<number, readonly Mark[]>
  /** How many of the rows have marks. */
  readonly marked: number
  readonly selected: number | undefined
}

export interface Colours {
  readonly text: string
  readonly faint: string
  readonly line: string
  readonly panel: string
  readonly bg: string
  readonly held: string
  readonly count: string
  readonly bad: string
  readonly warn: string
  readonly select: string
}

export const GUTTER = 148
export const AXIS = 22
const LABELS_FROM = 11

/** The page's colours, as the theme has them now. */
export function coloursOf(element: Element): Colours {
  const probe = document.createElement('span')
  element.append(probe)
  const of = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colours = {
    text: of('text'),
    faint: of('faint'),
    line: of('line'),
    panel: of('panel'),
    bg: of('bg'),
    held: of('held'),
    count: of('accent'),
    bad: of('bad'),
    warn: of('warn'),
    select: of('accent-bg'),
  }
  probe.remove()
  return colours
}

/** Draws what the view shows. `width` and `height` in CSS pixels. */
export function draw(context: CanvasRenderingContext2D, width: number, height: number, view: View, picture: Picture, colours: Colours): void {
  context.fillStyle = colours.bg
  context.fillRect(0, 0, width, height)
  const room = width - GUTTER
  axis(context, room, height, view, colours)
  context.save()
  context.beginPath()
  context.rect(0, AXIS, width, height - AXIS)
  context.clip()
  const first = Math.max(0, Math.floor(view.top))
  const last = Math.min(picture.rows.length, Math.ceil(view.top + (height - AXIS) / view.rowHeight))
  const x = (time: number): number => GUTTER + ((time - view.from) / (view.to - view.from)) * room
  for (let row = first; row < last; row++) {
    const y = AXIS + (row - view.top) * view.rowHeight
    const page = picture.rows[row]
    if (page === picture.selected) {
      context.fillStyle = colours.select
      context.fillRect(0, y, width, view.rowHeight)
    }
    drawRow(context, page, y, room, view, picture, colours, x)
  }
  // Labels stand on the left, over whatever is drawn.
  context.fillStyle = colours.panel
  context.fillRect(0, AXIS, GUTTER - 1, height)
  context.fillStyle = colours.line
  context.fillRect(GUTTER - 1, AXIS, 1, height)
  const font = `${Math.max(10, Math.min(12, view.rowHeight - 3))}px ui-monospace, "DejaVu Sans Mono", monospace`
  context.textBaseline = 'middle'
  for (let row = first; row < last; row++) {
    const y = AXIS + (row - view.top) * view.rowHeight
    const page = picture.rows[row]
    const marks = picture.marks.get(page)
    if (view.rowHeight >= LABELS_FROM) {
      context.font = font
      context.fillStyle = page === picture.selected ? colours.count : colours.text
      context.fillText(`0x${picture.timeline.pfns[page].toString(16)}`, 20, y + view.rowHeight / 2)
      if (view.rowHeight >= 16) {
        context.fillStyle = colours.faint
        context.fillText(picture.typeOf(page).slice(0, 8), 92, y + view.rowHeight / 2)
      }
    }
    if (marks) sign(context, marks[0].severity, 10, y + view.rowHeight / 2, colours)
  }
  context.restore()
  // The rows below and above that have something wrong are pointed at.
  hidden(context, width, height, first, last, picture, colours)
}

function drawRow(
  context: CanvasRenderingContext2D,
  page: number,
  y: number,
  room: number,
  view: View,
  { timeline, levels, freeAt, marks }: Picture,
  colours: Colours,
  x: (time: number) => number,
): void {
  const all = levels.of(page)
  const base = all[0]
  const h = view.rowHeight
  const free = freeAt[page]
  let level = base
  let from = Math.max(0, firstFrom(level.time, view.from) - 1)
  let to = Math.min(level.time.length, firstFrom(level.time, view.to) + 1)
  for (let k = 1; k < all.length && to - from > room * 2; k++) {
    level = all[k]
    from = Math.max(0, firstFrom(level.time, view.from) - 1)
    to = Math.min(level.time.length, firstFrom(level.time, view.to) + 1)
  }
  if (to > from) {
    let most = free + 1
    for (let i = from; i < to; i++) if (level.high[i] !== NOT_KNOWN && level.high[i] > most) most = level.high[i]
    // Pins count 1024: beyond some references the line is drawn by steps of its own.
    const scale = (count: number): number => {
      const above = Math.max(-1, count - free)
      const top = Math.max(1, most - free)
      return top <= 8 ? above / top : Math.log2(1 + Math.max(0, above)) / Math.log2(1 + top)
    }
    const bottom = y + h - 1.5
    const tall = h - 4
    const fine = h >= 9
    const end = x(Math.min(view.to, timeline.end))
    context.fillStyle = colours.held
    let px = -1
    for (let i = from; i < to; i++) {
      const left = Math.max(GUTTER, x(level.time[i]))
      const right = i + 1 < level.time.length ? Math.min(end, Math.max(left, x(level.time[i + 1]))) : end
      const now = level.high[i] === level.low[i] ? level.last[i] : level.high[i]
      if (now === NOT_KNOWN || now <= free) continue
      // What is shorter than a pixel still shows as one, once.
      const w = Math.max(1, right - left)
      if (right - left < 0.5 && Math.floor(left) === px) continue
      px = Math.floor(left)
      const up = fine ? Math.max(2, scale(now) * tall) : h - 1
      context.fillRect(left, bottom - up, w, up)
    }
    if (fine) line(context, level, from, to, free, end, bottom, tall, scale, x, colours)
  }
  // The worst is drawn last, on top.
  for (const mark of [...(marks.get(page) ?? [])].reverse())
    if (mark.time >= view.from && mark.time <= view.to) sign(context, mark.severity, Math.min(x(mark.time), GUTTER + room - 8), y + h / 2, colours)
}

/** The count as a step line; where a block stands for many events, from its lowest to its highest. */
function line(
  context: CanvasRenderingContext2D,
  level: ReturnType<Levels['of']>[number],
  from: number,
  to: number,
  free: number,
  end: number,
  bottom: number,
  tall: number,
  scale: (count: number) => number,
  x: (time: number) => number,
  colours: Colours,
): void {
  context.strokeStyle = colours.count
  context.lineWidth = 1
  context.beginPath()
  let lastY = Number.NaN
  for (let i = from; i < to; i++) {
    const left = Math.max(GUTTER, x(level.time[i]))
    const right = i + 1 < level.time.length ? Math.min(end, x(level.time[i + 1])) : end
    if (level.last[i] === NOT_KNOWN) {
      lastY = Number.NaN
      continue
    }
    const at = bottom - Math.max(0, scale(level.last[i])) * tall
    if (level.low[i] !== level.high[i]) {
      context.moveTo(left, bottom - Math.max(0, scale(level.low[i] === NOT_KNOWN ? free : level.low[i])) * tall)
      context.lineTo(left, bottom - scale(level.high[i]) * tall)
    } else if (!Number.isNaN(lastY) && lastY !== at) {
      context.moveTo(left, lastY)
      context.lineTo(left, at)
    }
    context.moveTo(left, at)
    context.lineTo(Math.max(left, right), at)
    lastY = at
  }
  context.stroke()
}

const SIGNS = { error: '✖', unknown: '?', info: 'i' } as const

function sign(context: CanvasRenderingContext2D, severity: Mark['severity'], x: number, y: number, colours: Colours): void {
  context.fillStyle = severity === 'error' ? colours.bad : severity === 'unknown' ? colours.warn : colours.faint
  context.beginPath()
  if (severity === 'error') context.rect(x - 6, y - 6, 12, 12)
  else context.arc(x, y, 6, 0, 2 * Math.PI)
  context.fill()
  context.fillStyle = colours.bg
  context.font = 'bold 10px "DejaVu Sans", sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillText(SIGNS[severity], x, y + 0.5)
  context.textAlign = 'left'
}

function hidden(context: CanvasRenderingContext2D, width: number, height: number, first: number, last: number, picture: Picture, colours: Colours): void {
  let above = 0
  let below = 0
  if (picture.marks.size > 0) {
    for (let row = 0; row < first; row++) if (picture.marks.has(picture.rows[row])) above++
    // Rows are many; pages with marks are few.
    let seen = above
    for (let row = first; row < last; row++) if (picture.marks.has(picture.rows[row])) seen++
    below = picture.marked - seen
  }
  context.font = 'bold 11px "DejaVu Sans", sans-serif'
  context.textBaseline = 'alphabetic'
  const tell = (text: string, y: number): void => {
    const w = context.measureText(text).width + 12
    context.fillStyle = colours.bad
    context.fillRect(width - w - 8, y, w, 18)
    context.fillStyle = colours.bg
    context.fillText(text, width - w - 2, y + 13)
  }
  if (above > 0) tell(`✖ ${above} more above`, AXIS + 4)
  if (below > 0) tell(`✖ ${below} more below`, height - 22)
}

function axis(context: CanvasRenderingContext2D, room: number, height: number, view: View, colours: Colours): void {
  context.fillStyle = colours.panel
  context.fillRect(0, 0, room + GUTTER, AXIS)
  const span = view.to - view.from
  const step = niceStep(span / Math.max(2, Math.floor(room / 110)))
  context.font = '11px "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const x = GUTTER + ((t - view.from) / span) * room
    context.fillStyle = colours.line
    context.fillRect(Math.round(x), AXIS - 6, 1, height)
    context.fillStyle = colours.faint
    const text = duration(t, step)
    if (x + 4 + context.measureText(text).width < room + GUTTER) context.fillText(text, Math.round(x) + 4, AXIS / 2)
  }
  context.fillStyle = colours.faint
  context.fillText('page', 20, AXIS / 2)
}

function niceStep(at: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, at)))
  const part = at / power
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10)
}

/** Time since the start, as exact as the axis needs. */
export function duration(ns: number, step: number): string {
  if (step >= 1e9) return `${(ns / 1e9).toFixed(0)} s`
  if (step >= 1e6) return `${(ns / 1e9).toFixed(3)} s`
  if (step >= 1e3) return `${(ns / 1e6).toFixed(3)} ms`
  return `${(ns / 1e3).toFixed(3)} µs`
}
