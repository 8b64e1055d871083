/** Makes a slice small: silent moves go, and states that allow the same futures are one. */
import type { LetterPool } from './letters.ts'
import type { Move, RawSlice, Summary } from './slice.ts'

/** Gives the same slice without silent moves, with one state for all that are bisimilar. */
export function reduce(raw: RawSlice, pool: LetterPool): Summary {
  const closures = silentClosures(raw)
  // States from which the same can be done are one from the start.
  const anchors: number[] = [0]
  const anchorOf = new Map<number, number>([[closures.key(0), 0]])
  const exits: (readonly number[])[] = []
  const edges: Map<number, Map<number, number>>[] = []
  for (let a = 0; a < anchors.length; a++) {
    const closed = closures.of(anchors[a])
    exits.push(closed.exits)
    // By shape and target, the classes of counts joined.
    const out = new Map<number, Map<number, number>>()
    for (const { letter, to } of closed.moves) {
      const key = closures.key(to)
      let anchor = anchorOf.get(key)
      if (anchor === undefined) {
        anchor = anchors.length
        anchorOf.set(key, anchor)
        anchors.push(to)
      }
      joinInto(out, pool, letter, anchor)
    }
    edges.push(out)
  }
  const classes = sameFutures(exits, edges, pool)
  const count = Math.max(...classes) + 1
  const made: Move[][] = Array.from({ length: count }, () => [])
  const returned: (readonly number[])[] = Array.from({ length: count }, () => [])
  const done = new Set<number>()
  classes.forEach((own, a) => {
    if (done.has(own)) return
    done.add(own)
    const joined = new Map<number, Map<number, number>>()
    for (const targets of edges[a].values()) for (const [to, letter] of targets) joinInto(joined, pool, letter, classes[to])
    made[own] = [...joined.values()].flatMap((targets) => [...targets].map(([to, letter]) => ({ letter, to })))
    returned[own] = exits[a]
  })
  return { edges: made, exits: returned, returns: raw.returns }
}

function joinInto(out: Map<number, Map<number, number>>, pool: LetterPool, letter: number, to: number): void {
  const shape = pool.shape(letter)
  const targets = out.get(shape) ?? new Map<number, number>()
  const known = targets.get(to)
  targets.set(to, known === undefined ? letter : pool.join(known, letter))
  out.set(shape, targets)
}

/**
 * What can be done next from each state when silent moves are taken. States that reach one another silently have the same; the
 * others have that of what they reach, and sets that are equal are kept once.
 */
function silentClosures({ states }: RawSlice): {
  of(state: number): { readonly moves: readonly Move[]; readonly exits: readonly number[] }
  /** Equal for states that have the same. */
  key(state: number): number
} {
  const moves = new Sets<Move>(({ letter, to }) => letter * 2 ** 22 + to)
  const exits = new Sets<number>((exit) => exit)
  const closed: number[] = new Array(states.length).fill(0)
  const left: number[] = new Array(states.length).fill(0)
  for (const component of components(states.map((state) => state.silent))) {
    let set = 0
    let ends = 0
    for (const s of component) {
      const { letters, silent, exit } = states[s]
      if (letters.length > 0) set = moves.union(set, moves.of(letters))
      if (exit >= 0) ends = exits.union(ends, exits.of([exit]))
      for (const next of silent) {
        set = moves.union(set, closed[next])
        ends = exits.union(ends, left[next])
      }
    }
    for (const s of component) {
      closed[s] = set
      left[s] = ends
    }
  }
  return {
    of: (state) => ({ moves: moves.members(closed[state]), exits: exits.members(left[state]) }),
    key: (state) => closed[state] * 2 ** 20 + left[state],
  }
}

/** Sets of things, as numbers; 0 is the empty one. */
class Sets<T> {
  private readonly numberOf: (one: T) => number
  private readonly things: T[] = []
  private readonly thingIds = new Map<number, number>()
  private readonly sets: (readonly number[])[] = [[]]
  private readonly setIds = new Map<string, number>([['', 0]])
  private readonly unions = new Map<number, number>()

  constructor(numberOf: (one: T) => number) {
    this.numberOf = numberOf
  }

  of(members: readonly T[]): number {
    return this.intern(members.map((one) => this.thing(one)))
  }

  members(set: number): readonly T[] {
    return this.sets[set].map((id) => this.things[id])
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a
    if (a === 0) return b
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b)
    const known = this.unions.get(key)
    if (known !== undefined) return known
    const made = this.intern([...this.sets[a], ...this.sets[b]])
    this.unions.set(key, made)
    return made
  }

  private thing(one: T): number {
    const key = this.numberOf(one)
    const known = this.thingIds.get(key)
    if (known !== undefined) return known
    this.thingIds.set(key, this.things.length)
    this.things.push(one)
    return this.things.length - 1
  }

  private intern(members: readonly number[]): number {
    const set = [...new Set(members)].sort((a, b) => a - b)
    const key = set.join(',')
    const known = this.setIds.get(key)
    if (known !== undefined) return known
    this.setIds.set(key, this.sets.length)
    this.sets.push(set)
    return this.sets.length - 1
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

/** Numbers the states so that those with the same futures (bisimilar) have one number; the first state has 0. */
function sameFutures(exits: readonly (readonly number[])[], edges: readonly ReadonlyMap<number, ReadonlyMap<number, number>>[], pool: LetterPool): number[] {
  const flat = edges.map((out) => [...out.values()].flatMap((targets) => [...targets].map(([to, letter]) => ({ to, letter }))))
  let classes = number(exits.map((one) => one.join(',')))
  let count = Math.max(...classes) + 1
  const before: number[][] = exits.map(() => [])
  flat.forEach((out, s) => {
    for (const { to } of out) before[to].push(s)
  })
  // Only states whose successors changed class can change.
  let stale = new Uint8Array(exits.length).fill(1)
  const signatures: string[] = new Array(exits.length).fill('')
  for (;;) {
    flat.forEach((out, s) => {
      if (stale[s] === 0) return
      const joined = new Map<number, number>()
      for (const { to, letter } of out) {
        const key = pool.shape(letter) * 2 ** 24 + classes[to]
        const known = joined.get(key)
        joined.set(key, known === undefined ? letter : pool.join(known, letter))
      }
      signatures[s] = [...joined]
        .map(([key, letter]) => `${key}:${letter}`)
        .sort()
        .join(' ')
    })
    const next = number(signatures.map((text, s) => `${classes[s]} ${text}`))
    const grown = Math.max(...next) + 1
    if (grown === count) return next
    const changed = new Uint8Array(exits.length)
    // A class that was split: all but its first part have a new number; numbers are given anew, so compare by representatives.
    const kept = new Map<number, number>()
    next.forEach((own, s) => {
      const first = kept.get(classes[s])
      if (first === undefined) kept.set(classes[s], own)
    })
    const renamed = relabel(next, kept, count)
    renamed.forEach((own, s) => {
      if (own !== classes[s]) for (const from of before[s]) changed[from] = 1
    })
    classes = renamed
    count = grown
    stale = changed
  }
}

/** Gives the first part of each old class its old number, and the other parts new ones. */
function relabel(next: readonly number[], first: ReadonlyMap<number, number>, count: number): number[] {
  const numbers = new Map<number, number>()
  for (const [before, part] of first) numbers.set(part, before)
  let fresh = count
  return next.map((part) => {
    let own = numbers.get(part)
    if (own === undefined) {
      own = fresh++
      numbers.set(part, own)
    }
    return own
  })
}

function number(texts: readonly string[]): number[] {
  const known = new Map<string, number>()
  return texts.map((text) => {
    const id = known.get(text) ?? known.size
    known.set(text, id)
    return id
  })
}
