/** The nodes of one transition as a graph without cycles, in the order in which code for them is written. */
import { successors } from '../ir/liveness.ts'
import { isAccess, type NodeId, type Thread } from '../ir/program.ts'
import { stopsBefore } from './reachable.ts'

/** A node as part of a transition. `stop`: the transition ends before it. */
export interface Vertex {
  readonly node: NodeId
  readonly accessed: boolean
  readonly stop: boolean
  /** Indices into the region; empty for `stop`, `end` and `choose` (whose continuation is a region of its own). */
  readonly next: readonly number[]
}

export interface Region {
  /** In topological order; the first is the root. */
  readonly vertices: readonly Vertex[]
  /** Vertices reached from more than one place. */
  readonly joins: ReadonlySet<number>
  /** For each vertex the joins that it immediately dominates, in order. */
  readonly owned: readonly (readonly number[])[]
}

/**
 * Collects what a transition may execute from a node on. At the beginning of a transition `first` is true: a guard is
 * tested there and not stopped at. Throws if a cycle is met: a transition of a sound program ends.
 */
export function collectRegion(thread: Thread, root: NodeId, accessed: boolean, first: boolean): Region {
  const order: { node: NodeId; accessed: boolean; stop: boolean; key: string }[] = []
  const state = new Map<string, 'open' | 'done'>()
  const keyOf = (node: NodeId, before: boolean, stop: boolean): string => (stop ? `s${node}` : `${Number(before)}.${node}`)
  const nextOf = (node: NodeId, before: boolean): { node: NodeId; accessed: boolean; stop: boolean; key: string }[] => {
    if (thread.nodes[node].op === 'choose') return []
    const now = before || isAccess(thread.nodes[node])
    return [...new Set(successors(thread.nodes[node]))].map((next) => {
      const stop = stopsBefore(thread.nodes[next], now)
      return { node: next, accessed: now, stop, key: keyOf(next, now, stop) }
    })
  }

  // Depth first with a stack of its own: transitions may run through thousands of nodes.
  const rootStops = !first && stopsBefore(thread.nodes[root], accessed)
  const start = { node: root, accessed, stop: rootStops, key: keyOf(root, accessed, rootStops) }
  const stack: { vertex: typeof start; pending: (typeof start)[] }[] = []
  const open = (vertex: typeof start): void => {
    state.set(vertex.key, 'open')
    stack.push({ vertex, pending: vertex.stop ? [] : nextOf(vertex.node, vertex.accessed) })
  }
  open(start)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    const next = top.pending.pop()
    if (!next) {
      state.set(top.vertex.key, 'done')
      order.push(top.vertex)
      stack.pop()
    } else if (!state.has(next.key)) open(next)
    else if (state.get(next.key) === 'open') {
      const at = thread.nodes[next.node].at
      throw new Error(`[putpage internal bug] a step of ${thread.name} at ${at.file}:${at.line} does not end`)
    }
  }
  order.reverse()
  const index = new Map(order.map((vertex, i) => [vertex.key, i]))
  const vertices = order.map(({ node, accessed: before, stop }) => ({
    node,
    accessed: before,
    stop,
    next: stop ? [] : nextOf(node, before).map((next) => index.get(next.key) as number),
  }))
  return { vertices, ...dominate(vertices) }
}

function dominate(vertices: readonly Vertex[]): Pick<Region, 'joins' | 'owned'> {
  const entries: number[][] = vertices.map(() => [])
  vertices.forEach((vertex, v) => {
    for (const next of vertex.next) entries[next].push(v)
  })
  const dominator: number[] = [0]
  const joins = new Set<number>()
  const owned: number[][] = vertices.map(() => [])
  for (let v = 1; v < vertices.length; v++) {
    let common = entries[v][0]
    for (let other of entries[v].slice(1)) {
      while (common !== other) {
        if (common > other) common = dominator[common]
        else other = dominator[other]
      }
    }
    dominator[v] = common
    if (entries[v].length > 1) {
      joins.add(v)
      owned[common].push(v)
    }
  }
  return { joins, owned }
}
