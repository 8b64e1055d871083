/**
 * Which nodes and locals of a function matter to a page's count: operations on it, what decides whether they happen, and what
 * that is computed from. The rest is passed over.
 */
import type { FunctionBody } from '../ir/body.ts'
import { definitions, expressions, successors } from '../ir/liveness.ts'
import type { Expr, LocalId, Node, NodeId } from '../ir/program.ts'

export interface Relevance {
  /** The node to stand at instead of an irrelevant one: the next that matters. */
  readonly skip: (node: NodeId) => NodeId
  readonly local: (local: LocalId) => boolean
}

/** `seed`: nodes that matter by themselves. */
export function relevance(body: FunctionBody, seed: (node: Node) => boolean): Relevance {
  const { nodes, locals } = body.thread
  const after = postDominators(nodes)
  const controllers = controlDependences(nodes, after)
  const definers: NodeId[][] = locals.map(() => [])
  nodes.forEach((node, n) => {
    for (const local of definitions(node)) definers[local].push(n)
  })
  const matters = new Uint8Array(nodes.length)
  const wanted = new Uint8Array(locals.length)
  const work: NodeId[] = []
  const add = (n: NodeId): void => {
    if (matters[n] === 1) return
    matters[n] = 1
    work.push(n)
  }
  nodes.forEach((node, n) => {
    // A node from which the end is not reached has no place to be passed over to.
    if (seed(node) || node.op === 'end' || after[n] < 0) add(n)
  })
  while (work.length > 0) {
    const n = work.pop() as NodeId
    for (const branch of controllers[n]) add(branch)
    for (const expr of expressions(nodes[n]))
      forEachLocal(expr, (local) => {
        if (wanted[local] === 1) return
        wanted[local] = 1
        for (const definer of definers[local]) add(definer)
      })
  }
  return {
    skip(node) {
      let at = node
      while (matters[at] === 0) at = after[at]
      return at
    },
    local: (local) => wanted[local] === 1,
  }
}

function forEachLocal(expr: Expr, go: (local: LocalId) => void): void {
  switch (expr.e) {
    case 'const':
      return
    case 'local':
      go(expr.local)
      return
    case 'load':
      forEachLocal(expr.place.index, go)
      return
    case 'not':
    case 'neg':
      forEachLocal(expr.a, go)
      return
    case 'bin':
      forEachLocal(expr.a, go)
      forEachLocal(expr.b, go)
      return
    case 'cond':
      forEachLocal(expr.c, go)
      forEachLocal(expr.a, go)
      forEachLocal(expr.b, go)
  }
}

/** Each node's immediate post-dominator; -1 for ends and for nodes that reach none. (Cooper, Harvey, Kennedy, on the reversed graph.) */
function postDominators(nodes: readonly Node[]): Int32Array {
  const n = nodes.length
  // One node behind all ends, so that there is one root.
  const root = n
  const before: number[][] = Array.from({ length: n + 1 }, () => [])
  const next = (node: number): readonly number[] => (node === root ? [] : nodes[node].op === 'end' ? [root] : successors(nodes[node]))
  for (let node = 0; node < n; node++) for (const to of next(node)) before[to].push(node)
  const order: number[] = []
  const number = new Int32Array(n + 1).fill(-1)
  const stack: { node: number; edge: number }[] = [{ node: root, edge: 0 }]
  const seen = new Uint8Array(n + 1)
  seen[root] = 1
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    const to = before[top.node][top.edge++]
    if (to === undefined) {
      number[top.node] = order.length
      order.push(top.node)
      stack.pop()
    } else if (seen[to] === 0) {
      seen[to] = 1
      stack.push({ node: to, edge: 0 })
    }
  }
  const above = new Int32Array(n + 1).fill(-1)
  above[root] = root
  const meet = (a: number, b: number): number => {
    let x = a
    let y = b
    while (x !== y) {
      while (number[x] < number[y]) x = above[x]
      while (number[y] < number[x]) y = above[y]
    }
    return x
  }
  for (let changed = true; changed; ) {
    changed = false
    for (let i = order.length - 2; i >= 0; i--) {
      const node = order[i]
      let found = -1
      for (const to of next(node)) if (above[to] >= 0) found = found < 0 ? to : meet(to, found)
      if (found >= 0 && above[node] !== found) {
        above[node] = found
        changed = true
      }
    }
  }
  return above.map((to) => (to === root ? -1 : to)).subarray(0, n)
}

/** For each node the branches that decide whether it is executed. */
function controlDependences(nodes: readonly Node[], after: Int32Array): NodeId[][] {
  const found: Set<NodeId>[] = nodes.map(() => new Set())
  nodes.forEach((node, n) => {
    const out = successors(node)
    if (out.length < 2) return
    for (const to of out) for (let at = to; at >= 0 && at !== after[n]; at = after[at]) found[at].add(n)
  })
  return found.map((set) => [...set])
}
