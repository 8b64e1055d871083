/** Lines up the lives of two recordings of the same workload: which life there is which here, and step by step what differs. */
import type { DeviceType } from './life.ts'
import type { LifeShape, LifeStep, LivesOfTrace } from './life-shapes.ts'

/** Steps side by side: indexes into the steps of each; undefined: there is none. */
export type StepPair = readonly [number | undefined, number | undefined]

/** Lives of one shape here that are lives of one shape there. */
export interface LivesLinedUp {
  readonly type: DeviceType
  readonly lives: number
  readonly a: LifeShape | undefined
  readonly b: LifeShape | undefined
  readonly pairs: readonly StepPair[]
  /** No step is missing on a side, and each is by the same function. */
  readonly same: boolean
}

/** Lives less alike than this are not taken for the same. */
const ALIKE = 0.3
/** More pairs of lives than this are not tried one by one: then shapes are matched, whatever their order. */
const MOST_PAIRS = 4e6

/** Lines up lives type by type, those of most lives first. */
export function lineUp(a: LivesOfTrace, b: LivesOfTrace): LivesLinedUp[] {
  const alike = new Map<number, number>()
  const likeness = (x: number, y: number): number => {
    const key = x * 2 ** 24 + y
    let known = alike.get(key)
    if (known === undefined) {
      known = align(a.shapes[x].steps, b.shapes[y].steps).likeness
      alike.set(key, known)
    }
    return known
  }
  const found: LivesLinedUp[] = []
  for (const type of new Set([...a.lives, ...b.lives].map((life) => life.type))) {
    const here = a.lives.filter((life) => life.type === type).map(({ shape }) => shape)
    const there = b.lives.filter((life) => life.type === type).map(({ shape }) => shape)
    const pairs = here.length * there.length <= MOST_PAIRS ? inOrder(here, there, likeness) : byShape(here, there, likeness)
    const groups = new Map<string, { lives: number; x: number | undefined; y: number | undefined }>()
    for (const { x, y, lives } of pairs) {
      const known = groups.get(`${x} ${y}`)
      if (known) known.lives += lives
      else groups.set(`${x} ${y}`, { lives, x, y })
    }
    for (const { lives, x, y } of groups.values()) {
      const left = x === undefined ? undefined : a.shapes[x]
      const right = y === undefined ? undefined : b.shapes[y]
      const pairs = align(left?.steps ?? [], right?.steps ?? []).pairs
      const same = pairs.every(([i, j]) => i !== undefined && j !== undefined && left?.steps[i].function === right?.steps[j].function)
      found.push({ type, lives, a: left, b: right, pairs, same })
    }
  }
  return found.sort((one, other) => other.lives - one.lives)
}

interface Match {
  readonly x: number | undefined
  readonly y: number | undefined
  readonly lives: number
}

/** Life by life, in their order: the alignment with the greatest likeness. */
function inOrder(here: readonly number[], there: readonly number[], likeness: (x: number, y: number) => number): Match[] {
  const width = there.length + 1
  const best = new Float32Array((here.length + 1) * width)
  for (let i = here.length - 1; i >= 0; i--) {
    for (let j = there.length - 1; j >= 0; j--) {
      const like = likeness(here[i], there[j])
      const both = like >= ALIKE ? like + best[(i + 1) * width + j + 1] : -1
      best[i * width + j] = Math.max(both, best[(i + 1) * width + j], best[i * width + j + 1])
    }
  }
  const found: Match[] = []
  let i = 0
  let j = 0
  while (i < here.length || j < there.length) {
    const now = best[i * width + j]
    if (i < here.length && j < there.length) {
      const like = likeness(here[i], there[j])
      if (like >= ALIKE && Math.abs(now - (like + best[(i + 1) * width + j + 1])) < 1e-3) {
        found.push({ x: here[i++], y: there[j++], lives: 1 })
        continue
      }
    }
    if (i < here.length && (j === there.length || Math.abs(now - best[(i + 1) * width + j]) < 1e-3)) found.push({ x: here[i++], y: undefined, lives: 1 })
    else found.push({ x: undefined, y: there[j++], lives: 1 })
  }
  return found
}

/** Shape by shape: the most alike first, as many lives as both have. */
function byShape(here: readonly number[], there: readonly number[], likeness: (x: number, y: number) => number): Match[] {
  const left = tally(here)
  const right = tally(there)
  const candidates = [...left.keys()].flatMap((x) => [...right.keys()].map((y) => ({ x, y, like: likeness(x, y) }))).filter(({ like }) => like >= ALIKE)
  candidates.sort((a, b) => b.like - a.like || a.x - b.x || a.y - b.y)
  const found: Match[] = []
  for (const { x, y } of candidates) {
    const lives = Math.min(left.get(x) ?? 0, right.get(y) ?? 0)
    if (lives === 0) continue
    found.push({ x, y, lives })
    left.set(x, (left.get(x) ?? 0) - lives)
    right.set(y, (right.get(y) ?? 0) - lives)
  }
  for (const [x, lives] of left) if (lives > 0) found.push({ x, y: undefined, lives })
  for (const [y, lives] of right) if (lives > 0) found.push({ x: undefined, y, lives })
  return found
}

/** The most frequent shapes; the others are too many to compare each with each. */
function tally(shapes: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const shape of shapes) counts.set(shape, (counts.get(shape) ?? 0) + 1)
  return new Map([...counts].sort((a, b) => b[1] - a[1]).slice(0, 300))
}

/** Steps side by side with the greatest likeness, which is 1 if all are the same. */
function align(a: readonly LifeStep[], b: readonly LifeStep[]): { readonly pairs: readonly StepPair[]; readonly likeness: number } {
  const width = b.length + 1
  const best = new Float32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const like = likenessOf(a[i], b[j])
      const both = like > 0 ? like + best[(i + 1) * width + j + 1] : -1
      best[i * width + j] = Math.max(both, best[(i + 1) * width + j], best[i * width + j + 1])
    }
  }
  const pairs: StepPair[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const now = best[i * width + j]
    if (i < a.length && j < b.length) {
      const like = likenessOf(a[i], b[j])
      if (like > 0 && Math.abs(now - (like + best[(i + 1) * width + j + 1])) < 1e-3) {
        pairs.push([i++, j++])
        continue
      }
    }
    if (i < a.length && (j === b.length || Math.abs(now - best[(i + 1) * width + j]) < 1e-3)) pairs.push([i++, undefined])
    else pairs.push([undefined, j++])
  }
  return { pairs, likeness: a.length + b.length === 0 ? 1 : (2 * best[0]) / (a.length + b.length) }
}

/** 1: the same; 0: a get and a put. Storing a first count is a get. */
function likenessOf(a: LifeStep, b: LifeStep): number {
  const gets = (step: LifeStep): boolean => step.delta === undefined || step.delta > 0
  if (gets(a) !== gets(b)) return 0
  if (a.function === b.function) return 1
  return a.class === b.class && a.class !== undefined && a.class !== 'other' ? 0.8 : 0.3
}
