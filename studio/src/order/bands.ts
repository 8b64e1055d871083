/** Where the safe sets stand in the drawing: a band for each number of changes, near to what leads to them. */
import { members } from '../../../src/order/lattice.ts'
import type { Sets } from './sets.ts'

export interface Place {
  readonly x: number
  readonly y: number
}

export interface Band {
  readonly size: number
  readonly y: number
  readonly height: number
  readonly safe: number
  readonly of: number
  /** Sets that are drawn. */
  readonly sets: readonly number[]
  /** Where sets that are not safe are marked, left and right of the safe ones. */
  readonly ends: readonly [number, number]
}

export interface Picture {
  readonly width: number
  readonly height: number
  /** How large a set is drawn. */
  readonly dot: number
  readonly bands: readonly Band[]
  readonly places: ReadonlyMap<number, Place>
}

/** Room for a band's name, and at the other side. */
const LEFT = 132
const RIGHT = 60
const LEAST_PITCH = 7
const MOST_LINES = 8
/** Between sets, and the least height of a band: in a narrow place, and in a wide one. */
const PITCH = [18, 30] as const
const BAND = [38, 58] as const
const WIDE = 1000

/** Lays out the safe sets of a cut, none at the bottom; without those that have an element of `hidden`. */
export function pictureOf(sets: Sets, width: number, hidden: number): Picture {
  const layers = sets.layers.slice(0, sets.ids.length + 1 - members(hidden).length).map((layer) => layer.filter((set) => (set & hidden) === 0))
  const room = Math.max(120, width - LEFT - RIGHT)
  const middle = LEFT + room / 2
  const wide = Number(width >= WIDE)
  const most = Math.max(1, ...layers.map((layer) => layer.length))
  const pitch = Math.max(LEAST_PITCH, Math.min(PITCH[wide], room / (most + 2)))
  const line = Math.max(1, Math.floor(room / pitch) - 2)
  const places = new Map<number, Place>()
  const order = new Map<number, number>()
  const bands: Band[] = []
  let total = 1
  let y = 0
  for (const [size, layer] of layers.entries()) {
    // More than fit are drawn in part: every second, every third.
    const every = Math.ceil(layer.length / (line * MOST_LINES)) || 1
    const shown = byWhatLeadsHere(layer, order).filter((_, i) => i % every === 0)
    const lines = Math.max(1, Math.ceil(shown.length / line))
    const height = Math.max(BAND[wide], lines * pitch + 20)
    const across = Math.min(line, shown.length)
    shown.forEach((set, i) => {
      const row = Math.floor(i / line)
      const inRow = Math.min(line, shown.length - row * line)
      const x = middle + ((i % line) - (inRow - 1) / 2) * pitch
      order.set(set, x)
      places.set(set, { x, y: y + height / 2 + (row - (lines - 1) / 2) * pitch })
    })
    const aside = (across / 2) * pitch + 16
    bands.push({ size, y, height, safe: layer.length, of: total, sets: shown, ends: [middle - aside, middle + aside] })
    y += height
    total = Math.round((total * (layers.length - 1 - size)) / (size + 1))
  }
  // None at the bottom.
  const turned = (at: number): number => y - at
  return {
    width,
    height: y,
    dot: Math.max(2, Math.min(wide === 1 ? 5 : 3.5, pitch / 2 - 1)),
    bands: bands.map((band) => ({ ...band, y: turned(band.y + band.height) })),
    places: new Map([...places].map(([set, place]) => [set, { x: place.x, y: turned(place.y) }])),
  }
}

/** Sets beside those they come from: by the mean place of the safe sets with one element less. */
function byWhatLeadsHere(layer: readonly number[], placed: ReadonlyMap<number, number>): number[] {
  const mean = new Map(
    layer.map((set) => {
      const from = members(set).flatMap((i) => placed.get(set & ~(1 << i)) ?? [])
      return [set, from.length === 0 ? Number.NaN : from.reduce((sum, x) => sum + x, 0) / from.length]
    }),
  )
  const middle = [...mean.values()].filter((x) => !Number.isNaN(x)).sort((a, b) => a - b)[Math.floor(mean.size / 2)] ?? 0
  const of = (set: number): number => {
    const x = mean.get(set) ?? Number.NaN
    return Number.isNaN(x) ? middle : x
  }
  return [...layer].sort((a, b) => of(a) - of(b) || a - b)
}

/** A set's place, or, where it is not drawn, a place at the end of its band. */
export function placeOf(picture: Picture, set: number, side: 0 | 1): Place {
  const place = picture.places.get(set)
  if (place) return place
  const band = picture.bands[members(set).length]
  return { x: band.ends[side], y: band.y + band.height / 2 }
}
