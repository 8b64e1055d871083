/** Which locals are live at which node: what must be kept between transitions, and what is zeroed. */
import type { Expr, LocalId, Node, NodeId, Thread } from './program.ts'

/** Gives, for each node, the locals whose value may still be read when execution stands before it (sorted). */
export function liveLocals(thread: Thread): readonly (readonly LocalId[])[] {
  const { nodes, locals } = thread
  // One bit a local: threads have thousands of nodes and hundreds of locals.
  const words = (locals.length + 31) >>> 5
  const live = new Uint32Array(nodes.length * words)
  const used = nodes.map((node) => {
    const found = new Set<LocalId>()
    for (const expr of expressions(node)) localsRead(expr, found)
    return found
  })
  const predecessors: NodeId[][] = nodes.map(() => [])
  nodes.forEach((node, n) => {
    for (const next of successors(node)) predecessors[next].push(n)
  })
  // Most edges lead to higher numbers: from the last node back one round is nearly enough.
  const waiting = nodes.map((_, n) => n)
  const isWaiting = new Uint8Array(nodes.length).fill(1)
  const now = new Uint32Array(words)
  while (waiting.length > 0) {
    const n = waiting.pop() as NodeId
    isWaiting[n] = 0
    now.fill(0)
    for (const next of successors(nodes[n])) for (let w = 0; w < words; w++) now[w] |= live[next * words + w]
    for (const local of definitions(nodes[n])) now[local >>> 5] &= ~(1 << (local & 31))
    for (const local of used[n]) now[local >>> 5] |= 1 << (local & 31)
    let changed = false
    for (let w = 0; w < words; w++) {
      if (live[n * words + w] === now[w]) continue
      live[n * words + w] = now[w]
      changed = true
    }
    if (!changed) continue
    for (const before of predecessors[n]) {
      if (isWaiting[before] === 1) continue
      isWaiting[before] = 1
      waiting.push(before)
    }
  }
  return nodes.map((_, n) => {
    const found: LocalId[] = []
    for (let w = 0; w < words; w++) for (let bits = live[n * words + w]; bits !== 0; bits &= bits - 1) found.push(w * 32 + 31 - Math.clz32(bits & -bits))
    return found
  })
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
