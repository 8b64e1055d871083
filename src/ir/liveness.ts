/** Which locals are live at which node: what must be kept between transitions, and what is zeroed. */
import type { Expr, LocalId, Node, NodeId, Thread } from './program.ts'

/** Gives, for each node, the locals whose value may still be read when execution stands before it (sorted). */
export function liveLocals(thread: Thread): readonly (readonly LocalId[])[] {
  const predecessors: NodeId[][] = thread.nodes.map(() => [])
  thread.nodes.forEach((node, n) => {
    for (const next of successors(node)) predecessors[next].push(n)
  })
  const live: Set<LocalId>[] = thread.nodes.map(() => new Set())
  const work = thread.nodes.map((_, n) => n)
  while (work.length > 0) {
    const n = work.pop() as NodeId
    const node = thread.nodes[n]
    const now = new Set<LocalId>()
    for (const next of successors(node)) for (const local of live[next]) now.add(local)
    for (const local of definitions(node)) now.delete(local)
    for (const expr of expressions(node)) localsRead(expr, now)
    if (now.size !== live[n].size) {
      live[n] = now
      work.push(...predecessors[n])
    }
  }
  return live.map((set) => [...set].sort((a, b) => a - b))
}

/** Control-flow successors of a node. */
export function successors(node: Node): readonly NodeId[] {
  if (node.op === 'end') return []
  if (node.op === 'branch') return [node.then, node.else]
  return [node.next]
}

/** Locals a node assigns. */
export function definitions(node: Node): readonly LocalId[] {
  if (node.op === 'assign' || node.op === 'choose') return [node.dst]
  return node.op === 'load' ? node.dsts : []
}

/** Every expression a node evaluates. `waitsFor` and `sleepsUntil` are included: a report must be able to evaluate them. */
export function expressions(node: Node): readonly Expr[] {
  switch (node.op) {
    case 'assign':
      return [node.value]
    case 'load':
      return node.places.map((place) => place.index)
    case 'store':
      return [...node.places.map((place) => place.index), ...node.values]
    case 'branch':
      return [node.cond]
    case 'check':
      return [node.fails]
    case 'step': {
      if (!node.guard) return []
      const { cond, waitsFor, sleepsUntil } = node.guard
      return [cond, ...(waitsFor ? [waitsFor] : []), ...(sleepsUntil ? [sleepsUntil] : [])]
    }
    case 'choose':
    case 'end':
      return []
  }
}

function localsRead(expr: Expr, into: Set<LocalId>): void {
  switch (expr.e) {
    case 'const':
      return
    case 'local':
      into.add(expr.local)
      return
    case 'load':
      localsRead(expr.place.index, into)
      return
    case 'not':
    case 'neg':
      localsRead(expr.a, into)
      return
    case 'bin':
      localsRead(expr.a, into)
      localsRead(expr.b, into)
      return
    case 'cond':
      localsRead(expr.c, into)
      localsRead(expr.a, into)
      localsRead(expr.b, into)
  }
}
