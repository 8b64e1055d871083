/** At which nodes a thread can stand between two transitions. */
import { successors } from '../ir/liveness.ts'
import { isAccess, type Node, type NodeId, type Thread } from '../ir/program.ts'

/** True if a transition stops before this node, having come some way already. */
export function stopsBefore(node: Node, accessed: boolean): boolean {
  if (accessed && (isAccess(node) || (node.op === 'choose' && !node.attached))) return true
  return node.op === 'step' && node.guard !== undefined
}

/** Gives the nodes at which a thread can stand between two transitions, in order of node number; `DONE` is not among them. */
export function reachableCounters(thread: Thread): readonly NodeId[] {
  const counters = new Set<NodeId>([thread.entry])
  // Visited (node, accessed) pairs; the pair does not depend on where the transition began.
  const visited = new Set<number>()
  const starts: NodeId[] = [thread.entry]
  while (starts.length > 0) {
    const pending: [NodeId, boolean][] = []
    const enter = (from: NodeId, accessed: boolean): void => {
      const now = accessed || isAccess(thread.nodes[from])
      for (const next of successors(thread.nodes[from])) pending.push([next, now])
    }
    enter(starts.pop() as NodeId, false)
    while (pending.length > 0) {
      const [node, accessed] = pending.pop() as [NodeId, boolean]
      if (visited.has(node * 2 + Number(accessed))) continue
      visited.add(node * 2 + Number(accessed))
      if (!stopsBefore(thread.nodes[node], accessed)) enter(node, accessed)
      else if (!counters.has(node)) {
        counters.add(node)
        starts.push(node)
      }
    }
  }
  return [...counters].sort((a, b) => a - b)
}
