/** The lattice: safe sets in bands by how many changes they hold, the plan's way through it, Linux's, and groups that land together. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { members, sizeOf } from '../../../src/order/lattice.ts'
import { type Picture, type Place, pictureOf, placeOf } from './bands.ts'
import { type Plan, setsAfter, wholeOf } from './plan.ts'
import { type Sets, SIGN } from './sets.ts'

/** More steps than this are not drawn: only those from the chosen set. */
const MOST_EDGES = 1500
const REACH = 12

interface LatticeProps {
  readonly sets: Sets
  readonly plan: Plan
  /** Elements that are drawn in no set. */
  readonly hidden: number
  readonly onChoose: (set: number) => void
}

export function Lattice({ sets, plan, hidden, onChoose }: LatticeProps) {
  const box = useRef<HTMLElement>(null)
  const [width, setWidth] = useState(640)
  const [under, setUnder] = useState<number | undefined>()
  useEffect(() => {
    const area = box.current
    if (!area) return
    const watch = new ResizeObserver(() => setWidth(area.clientWidth))
    watch.observe(area)
    return () => watch.disconnect()
  }, [])
  const picture = useMemo(() => pictureOf(sets, width, hidden), [sets, width, hidden])
  const chosen = wholeOf(plan)
  const said = `${hidden === 0 ? '' : `Not drawn are those that may land at any time: ${sets.named(hidden, ', ')}. `}${setsAfter(plan).filter((set) => sets.verdict(set) !== 'safe').length === 0 ? 'Every' : 'Not every'} step of the plan is safe.`
  return (
    <figure class="lattice" ref={box}>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: a picture that can be pointed at; all it does, the switches and lists beside it do by keys. */}
      <svg
        width={picture.width}
        height={picture.height}
        role="img"
        aria-label={`${sets.cut.safe} safe sets of ${sets.cut.sets}, from none at the bottom to all at the top, by how many changes they hold. ${said}`}
        onPointerMove={(event) => setUnder(nearest(picture, event))}
        onPointerLeave={() => setUnder(undefined)}
        onClick={(event) => {
          const set = nearest(picture, event)
          // What is not drawn stays as it is.
          if (set !== undefined) onChoose(set | (chosen & hidden))
        }}
        class={under === undefined ? '' : 'pointed'}
      >
        <title>Safe sets</title>
        <Still sets={sets} picture={picture} />
        <Groups sets={sets} picture={picture} hidden={hidden} />
        <Linux sets={sets} picture={picture} hidden={hidden} />
        <Chosen sets={sets} picture={picture} plan={plan} hidden={hidden} />
        {under !== undefined && <Ring at={placeOf(picture, under, 1)} />}
      </svg>
      <figcaption>
        <span>
          {under === undefined ? (
            <>
              <b>●</b> safe, <b>○</b> safe but not reached by safe steps; <b class="plancolour">◉</b> the plan, <b>◆</b> Linux; dotted: may land next; dashed:
              lands together
            </>
          ) : (
            <>
              {SIGN[sets.verdict(under)]} {sizeOf(under)}: {sets.named(under)}
              {under === chosen ? ' (chosen)' : ''}
            </>
          )}
        </span>
      </figcaption>
    </figure>
  )
}

/** What does not move with the choice. */
function Still({ sets, picture }: { sets: Sets; picture: Picture }) {
  return useMemo(() => {
    const edges = edgesOf(sets, picture)
    return (
      <>
        {picture.bands.map((band) => (
          <g key={band.size}>
            <rect x={0} y={band.y} width={picture.width} height={band.height} class={`band${band.size % 2 === 0 ? ' even' : ''}`} />
            <text x={8} y={band.y + band.height / 2 - 2} class="bandname">
              {band.size === 0 ? 'none' : band.size === picture.bands.length - 1 ? `all ${band.size}` : `${band.size} landed`}
            </text>
            <text x={8} y={band.y + band.height / 2 + 11} class="bandcount">
              {band.safe.toLocaleString('en')} of {band.of.toLocaleString('en')} safe
              {band.sets.length < band.safe ? `, ${band.sets.length} drawn` : ''}
            </text>
          </g>
        ))}
        <path d={edges} class="steps" />
        {[...picture.places].map(([set, { x, y }]) => (
          <circle key={set} cx={x} cy={y} r={picture.dot} class={sets.reached.has(set) ? 'set' : 'set apart'} />
        ))}
      </>
    )
  }, [sets, picture])
}

function edgesOf(sets: Sets, picture: Picture): string {
  const parts: string[] = []
  for (const [set, from] of picture.places) {
    if (!sets.reached.has(set)) continue
    for (const i of members(sets.full & ~set)) {
      const to = picture.places.get(set | (1 << i))
      if (to && sets.reached.has(set | (1 << i))) parts.push(line(from, to))
    }
  }
  return parts.length > MOST_EDGES ? '' : parts.join('')
}

function Groups({ sets, picture, hidden }: { sets: Sets; picture: Picture; hidden: number }) {
  return (
    <>
      {sets.groups.map(({ members: group, onto }) => {
        const from = placeOf(picture, onto & ~hidden, 0)
        const to = placeOf(picture, (onto | group) & ~hidden, 0)
        return (
          <g key={group} class="together">
            <path d={line(from, to)} />
            <text x={to.x + 8} y={to.y + 18}>
              together{' '}
              {members(group)
                .map((i) => i + 1)
                .join(' ')}
            </text>
          </g>
        )
      })}
    </>
  )
}

/** The order Linux took, by the releases it took it in. */
function Linux({ sets, picture, hidden }: { sets: Sets; picture: Picture; hidden: number }) {
  const all = sets.cut.landed.map(({ set, since }) => ({ set: sets.setOf(set) & ~hidden, whole: sets.setOf(set), since }))
  // A step of what is not drawn goes nowhere.
  const steps = all.filter(({ set }, i) => set !== (i === 0 ? 0 : all[i - 1].set))
  if (steps.length === 0) return null
  const places = [0, ...steps.map(({ set }) => set)].map((set) => placeOf(picture, set, 0))
  return (
    <g class="linux">
      <path d={places.slice(1).reduce((text, to, i) => text + line(places[i], to), '')} />
      {steps.map(({ whole, since }, i) => {
        const { x, y } = places[i + 1]
        const verdict = sets.verdict(whole)
        return (
          <g key={since}>
            <path d={`M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z`} class="mark" />
            <text x={x - 5} y={y - 9} text-anchor="end">
              {since.split(',')[0]}
              {verdict === 'safe' ? '' : ` ${SIGN[verdict]}`}
            </text>
          </g>
        )
      })}
    </g>
  )
}

/** The plan, and the sets that one safe step more leads to. */
function Chosen({ sets, picture, plan, hidden }: { sets: Sets; picture: Picture; plan: Plan; hidden: number }) {
  const whole = setsAfter(plan)
  const chosen = whole.at(-1) ?? 0
  // Steps of what is not drawn fall together with the one before.
  const drawn = plan.flatMap((step, i) => ((step & ~hidden) === 0 ? [] : [{ step: step & ~hidden, set: whole[i] }]))
  const after = drawn.map(({ set }) => set)
  const places = [0, ...after].map((set) => placeOf(picture, set & ~hidden, 1))
  const here = places[places.length - 1]
  return (
    <>
      {members(sets.full & ~chosen & ~hidden).map((i) => {
        const to = picture.places.get((chosen | (1 << i)) & ~hidden)
        return to ? (
          <g key={i} class="next">
            <path d={line(here, to)} />
            <circle cx={to.x} cy={to.y} r={6} />
          </g>
        ) : null
      })}
      <g class="plan">
        <path d={places.slice(1).reduce((text, to, i) => text + line(places[i], to), '')} />
        {[0, ...after].map((set, i) => {
          const { x, y } = places[i]
          const verdict = sets.verdict(set)
          return (
            <g key={set} class={`v-${verdict}${i === after.length ? ' here' : ''}`}>
              <circle cx={x} cy={y} r={i === after.length ? 9 : 7} />
              <text x={x} y={y + 4} text-anchor="middle" class="sign">
                {SIGN[verdict]}
              </text>
              {i > 0 && (
                <text x={x + 6} y={y - 10}>
                  +
                  {members(drawn[i - 1].step)
                    .map((one) => one + 1)
                    .join(' ')}
                </text>
              )}
            </g>
          )
        })}
      </g>
    </>
  )
}

function Ring({ at }: { at: Place }) {
  return <circle cx={at.x} cy={at.y} r={8} class="ring" />
}

function line(from: Place, to: Place): string {
  return `M${from.x.toFixed(1)} ${from.y.toFixed(1)}L${to.x.toFixed(1)} ${to.y.toFixed(1)}`
}

/** The drawn set that the pointer is at. */
function nearest({ places }: Picture, event: MouseEvent): number | undefined {
  const corner = (event.currentTarget as SVGElement).getBoundingClientRect()
  const x = event.clientX - corner.left
  const y = event.clientY - corner.top
  let found: number | undefined
  let least = REACH
  for (const [set, place] of places) {
    const distance = Math.hypot(place.x - x, place.y - y)
    if (distance >= least) continue
    least = distance
    found = set
  }
  return found
}
