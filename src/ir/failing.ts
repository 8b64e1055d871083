/** What a program does only after one of its checks has failed. */
import { successors } from './liveness.ts'
import type { Expr, NodeId, Program, Thread } from './program.ts'

/** Gives the nodes of a thread that can be reached without failing a check: without taking a branch on its condition as it is where the check fails. */
export function reachedWithoutFailing(program: Program, thread: Thread): ReadonlySet<NodeId> {
  const failing = new Set<string>()
  for (const node of thread.nodes) if (node.op === 'check') failing.add(keyOf(node.fails))
  // `const bad = WARN_ON(...)`, a result returned: the same condition by another name.
  for (let before = -1; before !== failing.size; ) {
    before = failing.size
    for (const node of thread.nodes) if (node.op === 'assign' && failing.has(keyOf(node.value))) failing.add(keyOf({ e: 'local', local: node.dst }))
  }
  const reached = new Set<NodeId>()
  const pending: NodeId[] = [thread.entry]
  while (pending.length > 0) {
    const n = pending.pop() as NodeId
    if (reached.has(n)) continue
    reached.add(n)
    const node = thread.nodes[n]
    if (node.op === 'check' && program.checks[node.check].fatal && isTrue(node.fails)) continue
    if (node.op !== 'branch' || node.cond.e === 'const') pending.push(...successors(node))
    else if (failing.has(keyOf(node.cond))) pending.push(node.else)
    else if (node.cond.e === 'not' && failing.has(keyOf(node.cond.a))) pending.push(node.then)
    else pending.push(node.then, node.else)
  }
  return reached
}

function keyOf(expr: Expr): string {
  return JSON.stringify(expr)
}

function isTrue(expr: Expr): boolean {
  return expr.e === 'const' && expr.value !== 0
}
