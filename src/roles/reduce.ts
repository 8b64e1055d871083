/** Makes a slice small: silent moves go, counts of one fate are joined to intervals, states that allow the same futures are one. */
import type { Edge, Interval, Letter, RoleAutomaton } from './automaton.ts'
import { COUNT_CLASSES, kernelCount } from './page-world.ts'
import type { RawLetter, RawSlice } from './slice.ts'

/** Gives the automaton of a slice. */
export function reduce(entry: string, type: string, raw: RawSlice): RoleAutomaton {
  const wakes = wakesFrom(raw)
  // Only states behind a letter matter, and the first.
  const closures = silentClosures(raw)
  // States from which the same can be done are one from the start.
  const anchors: number[] = [0]
  const anchorOf = new Map<number, number>([[closures.key(0), 0]])
  const moves: { readonly accepting: boolean; readonly out: readonly (Move & { readonly woken: Letter['wakes'] })[] }[] = []
  for (let a = 0; a < anchors.length; a++) {
    const { out, accepting } = closures.of(anchors[a])
    const anchored = out.map(({ letter, to }) => {
      const key = closures.key(to)
      let anchor = anchorOf.get(key)
      if (anchor === undefined) {
        anchor = anchors.length
        anchorOf.set(key, anchor)
        anchors.push(to)
      }
      return { letter, to: anchor, woken: wakes[to] }
    })
    moves.push({ accepting, out: anchored })
  }

  // Letters that differ in the count before them only are numbered as one, with their classes apart.
  const shapes = new Map<string, number>()
  const shapeOf: { readonly letter: RawLetter; readonly wakes: Letter['wakes'] }[] = []
  const shapesKnown = new Map<number, number>()
  const shape = (id: number, woken: Letter['wakes']): number => {
    const quick = id * 4 + ['yes', 'no', 'perhaps'].indexOf(woken)
    const quickly = shapesKnown.get(quick)
    if (quickly !== undefined) return quickly
    const made = newShape(raw.letters[id], woken)
    shapesKnown.set(quick, made)
    return made
  }
  const newShape = (letter: RawLetter, woken: Letter['wakes']): number => {
    const key = `${letter.event} ${letter.value} ${letter.done} ${letter.delta} ${letter.before === undefined} ${woken} ${letter.chain.join('>')}`
    const known = shapes.get(key)
    if (known !== undefined) return known
    shapes.set(key, shapeOf.length)
    shapeOf.push({ letter, wakes: woken })
    return shapeOf.length - 1
  }
  // Edges as (shape, classes of counts before, target).
  const edges = moves.map(({ out }) => {
    const found = new Map<string, { readonly shape: number; readonly to: number; readonly before: Set<number> }>()
    for (const { letter, to, woken } of out) {
      const number = shape(letter, woken)
      const key = `${number} ${to}`
      const edge = found.get(key) ?? { shape: number, to, before: new Set<number>() }
      edge.before.add(raw.letters[letter].before ?? -1)
      found.set(key, edge)
    }
    return [...found.values()]
  })
  const classes = sameFutures(
    moves.map(({ accepting }) => accepting),
    edges,
  )

  const chains: string[][] = []
  const chainIds = new Map<string, number>()
  const letters: Letter[] = []
  const letterIds = new Map<string, number>()
  const letterFor = (number: number, before: ReadonlySet<number>): number => {
    const { letter, wakes } = shapeOf[number]
    const results = intervals(before, letter)
    const key = `${number} ${JSON.stringify(results)}`
    const known = letterIds.get(key)
    if (known !== undefined) return known
    const chainKey = letter.chain.join('>')
    if (!chainIds.has(chainKey)) {
      chainIds.set(chainKey, chains.length)
      chains.push([...letter.chain])
    }
    letters.push({
      event: letter.event,
      value: letter.value === undefined ? undefined : kernelCount(letter.value),
      done: letter.done,
      results,
      chain: chainIds.get(chainKey) as number,
      wakes,
    })
    letterIds.set(key, letters.length - 1)
    return letters.length - 1
  }
  // One state a class, the start's first; edges of a class that go to one class are joined.
  const count = Math.max(...classes) + 1
  const joined: Edge[][] = Array.from({ length: count }, () => [])
  const done = new Set<number>()
  anchors.forEach((_, a) => {
    const own = classes[a]
    if (done.has(own)) return
    done.add(own)
    const byTarget = new Map<string, { readonly shape: number; readonly to: number; readonly before: Set<number> }>()
    for (const { shape, to, before } of edges[a]) {
      const key = `${shape} ${classes[to]}`
      const edge = byTarget.get(key) ?? { shape, to: classes[to], before: new Set<number>() }
      for (const one of before) edge.before.add(one)
      byTarget.set(key, edge)
    }
    joined[own] = [...byTarget.values()].map(({ shape, to, before }) => ({ letter: letterFor(shape, before), to }))
  })
  const accepting = Array.from({ length: count }, () => false)
  classes.forEach((own, a) => {
    if (moves[a].accepting) accepting[own] = true
  })
  return { entry, type, chains, reached: [...raw.reached].map((text) => text.split('>')), letters, edges: joined, accepting }
}

/** A letter (of `RawSlice.letters`) and the state behind it. */
type Move = { readonly letter: number; readonly to: number }

/**
 * What can be done next from each state when silent moves are taken. States that reach one another silently have the same; the
 * others have that of what they reach, and sets of moves that are equal are kept once.
 */
function silentClosures({ states }: RawSlice): {
  of(state: number): { readonly out: readonly Move[]; readonly accepting: boolean }
  /** Equal for states that have the same. */
  key(state: number): number
} {
  const moves: Move[] = []
  const moveIds = new Map<number, number>()
  const move = ({ letter, to }: Move): number => {
    const key = letter * 2 ** 24 + to
    const known = moveIds.get(key)
    if (known !== undefined) return known
    moveIds.set(key, moves.length)
    moves.push({ letter, to })
    return moves.length - 1
  }
  const sets: (readonly number[])[] = [[]]
  const setIds = new Map<string, number>([['', 0]])
  const intern = (set: readonly number[]): number => {
    const key = set.join(',')
    const known = setIds.get(key)
    if (known !== undefined) return known
    setIds.set(key, sets.length)
    sets.push(set)
    return sets.length - 1
  }
  const unions = new Map<number, number>()
  const union = (a: number, b: number): number => {
    if (a === b || b === 0) return a
    if (a === 0) return b
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b)
    const known = unions.get(key)
    if (known !== undefined) return known
    const made = intern([...new Set([...sets[a], ...sets[b]])].sort((x, y) => x - y))
    unions.set(key, made)
    return made
  }
  const closed: number[] = new Array(states.length).fill(0)
  const accepting: boolean[] = new Array(states.length).fill(false)
  for (const component of components(states.map((state) => state.silent))) {
    let set = 0
    let ends = false
    for (const s of component) {
      const { letters, silent, end } = states[s]
      set = union(set, intern([...new Set(letters.map(move))].sort((a, b) => a - b)))
      ends ||= end
      for (const next of silent) {
        set = union(set, closed[next])
        ends ||= accepting[next]
      }
    }
    for (const s of component) {
      closed[s] = set
      accepting[s] = ends
    }
  }
  return {
    of: (state) => ({ out: sets[closed[state]].map((id) => moves[id]), accepting: accepting[state] }),
    key: (state) => closed[state] * 2 + (accepting[state] ? 1 : 0),
  }
}

/** Strongly connected components (Tarjan), each after those it leads to. */
function components(next: readonly (readonly number[])[]): number[][] {
  const index = new Int32Array(next.length).fill(-1)
  const low = new Int32Array(next.length)
  const onStack = new Uint8Array(next.length)
  const stack: number[] = []
  const found: number[][] = []
  let counter = 0
  for (let root = 0; root < next.length; root++) {
    if (index[root] >= 0) continue
    const calls: { readonly state: number; edge: number }[] = [{ state: root, edge: 0 }]
    while (calls.length > 0) {
      const call = calls[calls.length - 1]
      const { state } = call
      if (call.edge === 0) {
        index[state] = low[state] = counter++
        stack.push(state)
        onStack[state] = 1
      }
      const to = next[state][call.edge++]
      if (to !== undefined) {
        if (index[to] < 0) calls.push({ state: to, edge: 0 })
        else if (onStack[to] === 1) low[state] = Math.min(low[state], index[to])
        continue
      }
      calls.pop()
      if (calls.length > 0) {
        const above = calls[calls.length - 1].state
        low[above] = Math.min(low[above], low[state])
      }
      if (low[state] !== index[state]) continue
      const component: number[] = []
      for (;;) {
        const one = stack.pop() as number
        onStack[one] = 0
        component.push(one)
        if (one === state) break
      }
      found.push(component)
    }
  }
  return found
}

/** Whether a wake-up lies on every silent way from a state to the next letter or the end, on some, or on none. */
function wakesFrom({ states }: RawSlice): Letter['wakes'][] {
  // may: a wake-up can be reached silently. avoid: a letter or the end can be reached without one.
  const may = states.map((state) => state.woke)
  const avoid = states.map((state) => !state.woke && (state.end || state.letters.length > 0))
  const before: number[][] = states.map(() => [])
  states.forEach((state, s) => {
    for (const next of state.silent) before[next].push(s)
  })
  const spread = (holds: boolean[], through: (state: number) => boolean): void => {
    const work = holds.flatMap((one, s) => (one ? [s] : []))
    while (work.length > 0) {
      const to = work.pop() as number
      for (const s of before[to])
        if (!holds[s] && through(s)) {
          holds[s] = true
          work.push(s)
        }
    }
  }
  spread(may, () => true)
  spread(avoid, (s) => !states[s].woke)
  return states.map((_, s) => (!may[s] ? 'no' : avoid[s] ? 'perhaps' : 'yes'))
}

type DraftEdge = { readonly shape: number; readonly to: number; readonly before: ReadonlySet<number> }

/** Numbers the states so that those with the same futures (bisimilar) have one number; the first state has 0. */
function sameFutures(accepting: readonly boolean[], edges: readonly (readonly DraftEdge[])[]): number[] {
  let classes = number(accepting.map((one) => `${one}`))
  for (;;) {
    const next = number(
      edges.map((out, s) => {
        const words = new Map<string, Set<number>>()
        for (const { shape, to, before } of out) {
          const key = `${shape}>${classes[to]}`
          const all = words.get(key) ?? new Set()
          for (const one of before) all.add(one)
          words.set(key, all)
        }
        return `${classes[s]}:${[...words]
          .map(([key, before]) => `${key}@${[...before].sort((a, b) => a - b).join(',')}`)
          .sort()
          .join(' ')}`
      }),
    )
    if (Math.max(...next) === Math.max(...classes)) return next
    classes = next
  }
}

function number(texts: readonly string[]): number[] {
  const known = new Map<string, number>()
  return texts.map((text) => {
    const id = known.get(text) ?? known.size
    known.set(text, id)
    return id
  })
}

/** The counts after the letter, as intervals in the kernel's units. */
function intervals(before: ReadonlySet<number>, letter: RawLetter): Interval[] {
  if (before.has(-1))
    return letter.value === undefined || letter.before !== undefined
      ? [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]]
      : [[kernelCount(letter.value), kernelCount(letter.value)]]
  const delta = kernelCount(letter.delta)
  const sorted = [...before].sort((a, b) => a - b)
  const found: [number, number][] = []
  for (const one of sorted) {
    const { lo, hi } = COUNT_CLASSES[one]
    const last = found[found.length - 1]
    const from = kernelCount(lo) + delta
    const to = kernelCount(hi) + delta
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else found.push([from, to])
  }
  // A freeze leaves 0, whatever was there.
  return letter.event === 'page_ref_freeze' && letter.done ? [[0, 0]] : found
}
