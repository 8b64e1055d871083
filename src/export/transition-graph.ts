/** The nodes a transition may run, and where it may stop: the definition at the top of `ir/program.ts`, made into a graph. */
import { successors } from '../ir/liveness.ts'
import { isAccess, type Node, type NodeId, type Thread } from '../ir/program.ts'

/** Where control goes after a node: on to another item of the same transition, or to a stop, or out of the thread. */
export type Target = { readonly kind: 'item'; readonly key: number } | { readonly kind: 'stop'; readonly at: NodeId } | { readonly kind: 'done' }

/** A node, together with whether an access was made before it. One node can appear twice. */
export interface Item {
  readonly key: number
  readonly id: NodeId
  readonly node: Node
  /** In the order of `successors`: for a branch `then`, `else`; none but `done` for `end`. */
  readonly next: readonly Target[]
}

/** All transitions that begin at one program counter. */
export interface TransitionGraph {
  readonly start: NodeId
  readonly entry: number
  readonly items: ReadonlyMap<number, Item>
  /** Program counters at which it may stop. */
  readonly stops: readonly NodeId[]
}

/** Gives the graph of the transitions beginning at `start`. */
export function transitionGraph(thread: Thread, start: NodeId): TransitionGraph {
  const items = new Map<number, Item>()
  const stops = new Set<NodeId>()
  const entry = keyOf(start, false)
  const work = [entry]
  while (work.length > 0) {
    const key = work.pop() as number
    if (items.has(key)) continue
    const id = key >> 1
    const node = thread.nodes[id]
    const accessed = (key & 1) === 1 || isAccess(node)
    const next = node.op === 'end' ? [{ kind: 'done' } as const] : successors(node).map((to) => target(thread.nodes[to], to, accessed))
    items.set(key, { key, id, node, next })
    for (const to of next) {
      if (to.kind === 'item') work.push(to.key)
      if (to.kind === 'stop') stops.add(to.at)
    }
  }
  return { start, entry, items, stops: [...stops].sort((a, b) => a - b) }
}

/** Gives the graphs of every program counter a thread can stand at, its entry first, the others in order. */
export function transitionGraphs(thread: Thread): TransitionGraph[] {
  const graphs = new Map<NodeId, TransitionGraph>()
  const work = [thread.entry]
  while (work.length > 0) {
    const start = work.pop() as NodeId
    if (graphs.has(start)) continue
    const graph = transitionGraph(thread, start)
    graphs.set(start, graph)
    work.push(...graph.stops)
  }
  const rank = (graph: TransitionGraph): number => (graph.start === thread.entry ? -1 : graph.start)
  return [...graphs.values()].sort((a, b) => rank(a) - rank(b))
}

/**
 * Gives, for each item, the first item that every way from it to the end of the transition goes through: where the two
 * sides of a branch meet again. Items without one are absent.
 */
export function meetingPoints(graph: TransitionGraph): Map<number, number> {
  const after = new Map<number, ReadonlySet<number>>()
  // Greatest fixed point of: after(n) = n, and what is common to its successors. An absent set stands for "everything".
  for (let changed = true; changed; ) {
    changed = false
    for (const item of graph.items.values()) {
      const common = commonTo(item, after)
      if (common === undefined || after.get(item.key)?.size === common.size) continue
      after.set(item.key, common)
      changed = true
    }
  }
  const meeting = new Map<number, number>()
  for (const [key, mine] of after) {
    // The nearest of them is the one that has all the others after it.
    const sizeOf = (other: number): number => after.get(other)?.size ?? 0
    const others = [...mine].filter((other) => other !== key).sort((a, b) => sizeOf(b) - sizeOf(a))
    if (others.length > 0) meeting.set(key, others[0])
  }
  return meeting
}

/** The item and what comes after all its known successors; undefined if none is known yet. */
function commonTo(item: Item, after: ReadonlyMap<number, ReadonlySet<number>>): Set<number> | undefined {
  const sets = item.next.map((to) => (to.kind === 'item' ? after.get(to.key) : new Set<number>())).filter((set) => set !== undefined)
  if (sets.length === 0) return undefined
  const [first, ...rest] = sets
  return new Set([...first].filter((key) => rest.every((set) => set.has(key)))).add(item.key)
}

function keyOf(id: NodeId, accessed: boolean): number {
  return id * 2 + (accessed ? 1 : 0)
}

function target(node: Node, id: NodeId, accessed: boolean): Target {
  if (accessed && (isAccess(node) || (node.op === 'choose' && !node.attached))) return { kind: 'stop', at: id }
  // A guard is the first thing of its transition or not in it: every target comes after the first node.
  if (node.op === 'step' && node.guard) return { kind: 'stop', at: id }
  return { kind: 'item', key: keyOf(id, accessed) }
}
