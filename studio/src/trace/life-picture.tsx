/** A page's count as a step line, and below it each reference as a bar from get to put. */
import { useMemo } from 'preact/hooks'
import type { LifeReference, PageLife } from '../../../src/report/page-references.ts'
import { duration } from './draw.ts'
import type { Wrong } from './life-wrong.ts'

export const CLASSES = [
  'page-table entry',
  'GUP pin',
  'pipe buffer',
  'migration',
  'fault',
  'split',
  'driver allocation',
  'base reference',
  'other',
  'long-term pin',
] as const
const LANE = 18
const COUNT = 64
const LEFT = 56

interface LifePictureProps {
  readonly life: PageLife
  readonly end: number
  readonly width: number
  /** Events stand by their times; else each as far from the next. */
  readonly toScale: boolean
  /** The chosen reference, and the event in focus. */
  readonly reference: number | undefined
  readonly focus: number | undefined
  readonly wrong: readonly Wrong[]
  readonly onReference: (index: number) => void
}

export function LifePicture({ life, end, width, toScale, reference, focus, wrong, onReference }: LifePictureProps) {
  const first = life.events[0]?.time ?? 0
  const last = Math.max(life.events.at(-1)?.time ?? 1, first + 1)
  // Time after the last event is drawn short: what is held to the end reaches the margin.
  const span = Math.max(1, last - first)
  const room = width - LEFT - 40
  /** Where an event stands: by its time, or each as far from the next, so that what happened at one moment can be told apart. */
  const x = (index: number): number => LEFT + (toScale ? (life.events[index].time - first) / span : index / Math.max(1, life.events.length - 1)) * room
  const xOfTime = (time: number): number => {
    const next = life.events.findIndex((one) => one.time >= time)
    return x(next < 0 ? life.events.length - 1 : next)
  }
  const lanes = Math.min(life.lanes, 40)
  const height = COUNT + lanes * LANE + 20
  const most = Math.max(1, ...life.events.flatMap(({ after }) => (after === null ? [] : [after])))
  const scale = (count: number): number => (most <= 8 ? count / most : Math.log2(1 + Math.max(0, count)) / Math.log2(1 + most))
  const y = (count: number): number => 10 + (COUNT - 18) * (1 - scale(Math.max(0, count)))
  const path = useMemo(() => stepLine(life, x, y), [life, width, toScale])
  // Very many bars are drawn as far as they can be told apart.
  const bars = useMemo(() => visible(life.references, x, xOfTime, lanes, width - 12), [life, width, toScale])
  const { forbidden } = life
  return (
    <svg width={width - 2} height={height} role="img" aria-label="The count as a step line; below it each reference as a bar from get to put">
      <title>Count and references</title>
      {[0, life.freeAt ?? 0, most].map((count, i) => (
        <g key={`${count}${i}`}>
          <line x1={LEFT} x2={width - 40} y1={y(count)} y2={y(count)} class="grid" />
          <text x={LEFT - 6} y={y(count) + 4} text-anchor="end" class="tick">
            {count}
          </text>
        </g>
      ))}
      <path d={path} class="countline" />
      {life.breaks.map((one) => (
        <line key={`${one.time}${one.why}`} x1={xOfTime(one.time)} x2={xOfTime(one.time)} y1={0} y2={height} class="break">
          <title>{one.why}</title>
        </line>
      ))}
      {bars.map(({ one, index, left, right }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: a bar of a picture; the table below it has its events as buttons.
        <g
          key={index}
          class={`bar c${CLASSES.indexOf(one.class)}${index === reference ? ' chosen' : ''}${one.to === null ? ' open' : ''}${one.sure === 'guess' ? ' guess' : ''}`}
          onClick={() => onReference(index)}
        >
          <rect x={left} y={COUNT + one.lane * LANE} width={right - left} height={LANE - 4} rx={2} />
          {one.sure === 'guess' && right - left > 14 && (
            <text x={right - 4} y={COUNT + one.lane * LANE + 10} text-anchor="end">
              ?
            </text>
          )}
          {right - left > 70 && (
            <text x={left + 5} y={COUNT + one.lane * LANE + 10}>
              {cut(`${one.to === null ? 'held: ' : ''}${one.class}: ${one.function}`, Math.floor((right - left - 8) / 6.7))}
            </text>
          )}
        </g>
      ))}
      {forbidden && forbidden.event !== null && <Sign x={x(forbidden.event)} width={width} height={height} row={0} text="not in the model" />}
      {wrong.map(({ title, severity, event }, i) =>
        event === undefined || severity !== 'error' ? null : (
          <Sign key={title} x={x(event)} width={width} height={height} row={i + (forbidden ? 1 : 0)} text={title} />
        ),
      )}
      {focus !== undefined && life.events[focus] && <line x1={x(focus)} x2={x(focus)} y1={0} y2={height} class="cursor" />}
      <text x={LEFT} y={height - 4} class="tick">
        {duration(first, 1e3)}
      </text>
      <text x={width - 44} y={height - 4} text-anchor="end" class="tick">
        {duration(last, 1e3)}
        {end > last ? ` of ${duration(end, 1e6)}` : ''}
      </text>
    </svg>
  )
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

/** A line through the picture with a word: something is wrong from here on. */
function Sign({ x, width, height, row, text }: { x: number; width: number; height: number; row: number; text: string }) {
  const right = x > width - 220
  return (
    <g class="forbidden">
      <line x1={x} x2={x} y1={0} y2={height} />
      <text x={x + (right ? -4 : 4)} y={10 + row * 12} text-anchor={right ? 'end' : 'start'}>
        ✖ {text}
      </text>
    </g>
  )
}

function stepLine(life: PageLife, x: (index: number) => number, y: (count: number) => number): string {
  const parts: string[] = []
  let known = false
  for (const [index, { after }] of life.events.entries()) {
    if (after === null) {
      known = false
      continue
    }
    const at = x(index).toFixed(1)
    const high = y(after).toFixed(1)
    parts.push(known ? `H${at}V${high}` : `M${at} ${high}`)
    known = true
  }
  if (known) parts.push(`H${(x(life.events.length - 1) + 30).toFixed(1)}`)
  return parts.join('')
}

/** Bars that can be told apart: of those in one pixel of one lane the first, but all that are still held. */
function visible(references: readonly LifeReference[], x: (index: number) => number, xOfTime: (time: number) => number, lanes: number, end: number) {
  const taken = new Map<number, number>()
  return references.flatMap((one, index) => {
    if (one.lane >= lanes) return []
    const left = x(one.get)
    const right = Math.max(left + 1.5, one.to === null ? end : one.put === null ? xOfTime(one.to) : x(one.put))
    if (one.to !== null && right < (taken.get(one.lane) ?? -1) + 1) return []
    taken.set(one.lane, right)
    return [{ one, index, left, right }]
  })
}
