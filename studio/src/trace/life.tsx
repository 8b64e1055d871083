/** One page's whole life: its count, its references from get to put, the events with their stacks, and what the model says of it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LifeReference, PageLife } from '../../../src/report/page-references.ts'
import { duration } from './draw.ts'

const CLASSES = ['page-table entry', 'GUP pin', 'pipe buffer', 'migration', 'fault', 'split', 'driver allocation', 'base reference', 'other'] as const
const LANE = 18
const COUNT = 64
const LEFT = 56
/** Rows of the table around the chosen event. */
const SHOWN = 60

interface LifeProps {
  readonly life: PageLife
  readonly end: number
  /** The model's word on this page's life. */
  readonly model: string
  readonly onClose: () => void
}

export function Life({ life, end, model, onClose }: LifeProps) {
  const [reference, setReference] = useState<number | undefined>(() => {
    const held = life.references.findIndex(({ to }) => to === null)
    return held >= 0 ? held : undefined
  })
  const [event, setEvent] = useState<number | undefined>()
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(900)
  const [toScale, setToScale] = useState(false)
  useEffect(() => {
    const area = box.current
    if (!area) return
    const watch = new ResizeObserver(() => setWidth(area.clientWidth))
    watch.observe(area)
    return () => watch.disconnect()
  }, [])
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
  const chosen = reference === undefined ? undefined : life.references[reference]
  const focus = event ?? chosen?.get
  const used = CLASSES.filter((name) => life.references.some((one) => one.class === name))
  // Very many bars are drawn as far as they can be told apart.
  const bars = useMemo(() => visible(life.references, x, xOfTime, lanes, width - 12), [life, width, toScale])
  const { forbidden } = life
  return (
    <section class="life" aria-label={`The life of page 0x${life.pfn.toString(16)}`}>
      <header>
        <h2>
          page 0x{life.pfn.toString(16)} <span class="faint">{life.type}</span>
        </h2>
        <span class="faint">
          {life.events.length.toLocaleString('en')} events{life.leftOut > 0 ? ` (${life.leftOut.toLocaleString('en')} more left out)` : ''},{' '}
          {life.references.length.toLocaleString('en')} references
          {life.freeAt === null ? '' : `, free at ${life.freeAt}`}
        </span>
        <span class="legend">
          {used.map((name) => (
            <span key={name} class={`ref c${CLASSES.indexOf(name)}`}>
              {name}
            </span>
          ))}
        </span>
        <label class="check">
          <input type="checkbox" checked={toScale} onChange={(change) => setToScale(change.currentTarget.checked)} /> time to scale
        </label>
        <button type="button" onClick={onClose}>
          close
        </button>
      </header>
      <div class="lifebody">
        <section class="scroll lifepicture" ref={box} aria-label="Count and references over time" tabIndex={0}>
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
                class={`bar c${CLASSES.indexOf(one.class)}${index === reference ? ' chosen' : ''}${one.to === null ? ' open' : ''}`}
                onClick={() => {
                  setReference(index)
                  setEvent(undefined)
                }}
              >
                <rect x={left} y={COUNT + one.lane * LANE} width={right - left} height={LANE - 4} rx={2} />
                {right - left > 70 && (
                  <text x={left + 5} y={COUNT + one.lane * LANE + 11}>
                    {`${one.to === null ? '… held: ' : ''}${one.class}: ${one.function}`.slice(0, Math.floor((right - left - 8) / 6.6))}
                  </text>
                )}
              </g>
            ))}
            {forbidden && forbidden.event !== null && (
              <g class="forbidden">
                <line x1={x(forbidden.event)} x2={x(forbidden.event)} y1={0} y2={height} />
                <text
                  x={x(forbidden.event) + (x(forbidden.event) > width - 180 ? -4 : 4)}
                  y={10}
                  text-anchor={x(forbidden.event) > width - 180 ? 'end' : 'start'}
                >
                  ✖ not in the model
                </text>
              </g>
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
          <Events
            life={life}
            focus={focus}
            onEvent={(index) => {
              setEvent(index)
              setReference(indexOfReference(life.references, index))
            }}
          />
        </section>
        <aside class="scroll lifeside" aria-label="Stacks" tabIndex={0}>
          {forbidden ? (
            <p class="verdict bad">
              ✖ The model does not allow this life{forbidden.event === null ? '' : ` from event ${forbidden.event + 1} on`}.{' '}
              {forbidden.event !== null && (
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    setEvent(forbidden.event ?? undefined)
                    setReference(undefined)
                  }}
                >
                  show it
                </button>
              )}{' '}
              <span>{forbidden.why}</span>
            </p>
          ) : (
            <p class="verdict">{model}</p>
          )}
          {chosen && <Pair life={life} one={chosen} />}
          {event !== undefined && !chosen && (
            <Stack title={`${life.events[event].op} ${life.events[event].val} by ${life.events[event].task}`} frames={life.sites[life.events[event].site]} />
          )}
          {!chosen && event === undefined && <p class="faint">Choose a bar or an event: its stack and its pairing stand here.</p>}
        </aside>
      </div>
    </section>
  )
}

function indexOfReference(references: readonly LifeReference[], event: number): number | undefined {
  const at = references.findIndex(({ get, put }) => get === event || put === event)
  return at < 0 ? undefined : at
}

function Pair({ life, one }: { life: PageLife; one: LifeReference }) {
  const put = one.put === null ? undefined : life.events[one.put]
  return (
    <>
      <h3>
        {one.amount >= 1024 ? 'pin' : 'reference'}: {one.class}, by {one.function || '?'}
        {one.amount > 1 && one.amount !== 1024 ? ` ×${one.amount}` : ''}
      </h3>
      <p>
        {put ? (
          <>
            held for <b>{duration((one.to ?? 0) - one.from, 1)}</b>
          </>
        ) : one.to !== null ? (
          'what became of it is not known: events may be lost'
        ) : (
          <b class="bad">✖ still held at the end</b>
        )}
      </p>
      <Stack title={`taken by ${one.task} at ${duration(one.from, 1e3)}`} frames={life.sites[life.events[one.get].site]} />
      {put && <Stack title={`given back by ${put.task} at ${duration(put.time, 1e3)}`} frames={life.sites[put.site]} />}
      <p class="faint">Which put pays back which get is read from stacks, tasks and amounts: the likeliest pairing.</p>
    </>
  )
}

export function Stack({ title, frames }: { title: string; frames: readonly string[] }) {
  return (
    <div class="callstack">
      <h4>{title}</h4>
      {frames.length === 0 ? (
        <p class="faint">no stack was recorded</p>
      ) : (
        <ol>
          {frames.map((frame, i) => (
            <li key={`${frame}${i}`}>{frame}</li>
          ))}
        </ol>
      )}
    </div>
  )
}

function Events({ life, focus, onEvent }: { life: PageLife; focus: number | undefined; onEvent: (index: number) => void }) {
  const around = focus ?? 0
  const from = Math.max(0, Math.min(around - Math.floor(SHOWN / 2), life.events.length - SHOWN))
  const shown = life.events.slice(from, from + SHOWN)
  return (
    <table class="plain events">
      <thead>
        <tr>
          <th scope="col" class="number">
            time
          </th>
          <th scope="col">task</th>
          <th scope="col">operation</th>
          <th scope="col" class="number">
            count
          </th>
          <th scope="col">call site</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((one, i) => {
          const index = from + i
          const frees = life.freeAt !== null && one.after === life.freeAt && one.before !== one.after
          return (
            <tr key={index} class={`${index === focus ? 'chosen' : ''}${index === life.forbidden?.event ? ' forbidden' : ''}`}>
              <td class="number">
                <button type="button" class="link" onClick={() => onEvent(index)}>
                  {duration(one.time, 1e3)}
                </button>
              </td>
              <td>{one.task}</td>
              <td>
                {one.op} {one.val > 0 ? `+${one.val}` : one.val}
                {one.refused ? ' refused' : ''}
                {index === life.forbidden?.event ? <b class="bad"> ✖ not in the model</b> : ''}
              </td>
              <td class="number">
                {one.before ?? '?'} → <b>{one.after ?? '?'}</b>
                {frees ? <span class="good"> free</span> : ''}
              </td>
              <td class="site">{life.sites[one.site].slice(0, 4).join(' < ')}</td>
            </tr>
          )
        })}
      </tbody>
      {life.events.length > SHOWN && (
        <caption>
          events {from + 1} to {from + shown.length} of {life.events.length.toLocaleString('en')}{' '}
          <button type="button" disabled={from === 0} onClick={() => onEvent(Math.max(0, around - SHOWN))}>
            earlier
          </button>{' '}
          <button type="button" disabled={from + SHOWN >= life.events.length} onClick={() => onEvent(Math.min(life.events.length - 1, around + SHOWN))}>
            later
          </button>
        </caption>
      )}
    </table>
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
