/** Tidies one thread's graph: unreachable nodes go, numbers close up. Finds loops that never touch shared state. */
import { successors } from '../ir/liveness.ts'
import { isAccess, type Local, type Node, type NodeId, type Position, type Thread } from '../ir/program.ts'
import { finishLocals, type GraphBuilder, type LocalDraft } from './graph-builder.ts'

/** Gives a thread's nodes and locals in their final form. Unused locals are dropped. */
export function finishThread(graph: GraphBuilder, finish: (draft: LocalDraft) => Local): Pick<Thread, 'nodes' | 'entry' | 'locals'> {
  graph.entry = afterZeros(graph)
  const order = reachable(graph)
  const number = new Map(order.map((node, i) => [node, i]))
  const to = (node: NodeId): NodeId => number.get(node) as NodeId
  const nodes = order.map((id): Node => {
    const node = graph.nodes[id]
    if (node.op === 'end') return node
    if (node.op === 'step') return { ...node, next: to(node.next), ...(node.until === undefined ? {} : { until: firstAtLeast(order, node.until) }) }
    return node.op === 'branch' ? { ...node, then: to(node.then), else: to(node.else) } : { ...node, next: to(node.next) }
  })
  return { nodes, entry: to(graph.entry), locals: finishLocals(graph.locals, finish) }
}

/** Position of the first element that is not below `bound`, in a sorted list. */
function firstAtLeast(sorted: readonly number[], bound: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < bound) low = middle + 1
    else high = middle
  }
  return low
}

/** Locals begin as 0: an entry that only says so is no place of its own, or a loop's first round would differ from the others. */
function afterZeros(graph: GraphBuilder): NodeId {
  let at = graph.entry
  for (let steps = 0; steps < graph.nodes.length; steps++) {
    const node = graph.nodes[at]
    if (node?.op !== 'assign' || node.value.e !== 'const' || node.value.value !== 0) break
    at = node.next
  }
  return at
}

function reachable(graph: GraphBuilder): NodeId[] {
  const seen = new Set<NodeId>()
  const work = graph.nodes.length > 0 ? [graph.entry] : []
  while (work.length > 0) {
    const id = work.pop() as NodeId
    if (id === undefined || seen.has(id)) continue
    seen.add(id)
    work.push(...successors(graph.nodes[id]))
  }
  return [...seen].sort((a, b) => a - b)
}

/** Positions of loops with a round that makes no access: the transition that takes it would not end. */
export function loopWithoutAccess(graph: GraphBuilder): Position[] {
  const nodes = reachable(graph)
  const state = new Map<NodeId, 'open' | 'done'>()
  const found: Position[] = []
  // Depth first over edges that make no access; an edge to an open node closes such a loop.
  for (const root of nodes) {
    if (state.has(root)) continue
    const stack: { node: NodeId; next: number }[] = [{ node: root, next: 0 }]
    state.set(root, 'open')
    while (stack.length > 0) {
      const top = stack[stack.length - 1]
      const node = graph.nodes[top.node]
      const out = isAccess(node) ? [] : successors(node)
      if (top.next >= out.length) {
        state.set(top.node, 'done')
        stack.pop()
        continue
      }
      const target = out[top.next++]
      if (target === undefined) {
        found.push(node.at)
        continue
      }
      const seen = state.get(target)
      if (seen === 'open') found.push(graph.nodes[target].at)
      else if (seen === undefined) {
        state.set(target, 'open')
        stack.push({ node: target, next: 0 })
      }
    }
  }
  return found.filter((position, i) => found.findIndex((other) => other.line === position.line && other.file === position.file) === i)
}
