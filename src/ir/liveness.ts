/** Which locals are live at which node: what must be kept between transitions, and what is zeroed. */
import type { Expr, LocalId, Node, NodeId, Thread } from './program.ts'

/** Which locals of a thread may still be read when execution stands before a node. */
export interface Liveness {
  has(node: NodeId, local: LocalId): boolean
  /** Those live before a node, sorted. */
  at(node: NodeId): readonly LocalId[]
}

/** Finds the live locals of a thread. */
export function liveLocals({ nodes, locals }: Thread): Liveness {
  // One bit a local: threads have thousands of nodes and hundreds of locals.
  const words = (locals.length + 31) >>> 5
  const live = new Uint32Array(nodes.length * words)
  const used = nodes.map((node) => {
    const found: LocalId[] = []
    for (const expr of expressions(node)) localsRead(expr, found)
    return found
  })
  const defined = nodes.map(definitions)
  const after = nodes.map(successors)
  const before: NodeId[][] = nodes.map(() => [])
  after.forEach((list, n) => {
    for (const next of list) before[next].push(n)
  })
  const stale = new Uint8Array(nodes.length).fill(1)
  const now = new Uint32Array(words)
  // Most edges lead to higher numbers: from the last node back, one round is nearly enough.
  for (let again = true; again; ) {
    again = false
    for (let n = nodes.length - 1; n >= 0; n--) {
      if (stale[n] === 0) continue
      stale[n] = 0
      now.fill(0)
      for (const next of after[n]) for (let w = 0, at = next * words; w < words; w++) now[w] |= live[at + w]
      for (const local of defined[n]) now[local >>> 5] &= ~(1 << (local & 31))
      for (const local of used[n]) now[local >>> 5] |= 1 << (local & 31)
      let changed = false
      for (let w = 0, at = n * words; w < words; w++) {
        if (live[at + w] === now[w]) continue
        live[at + w] = now[w]
        changed = true
      }
      if (!changed) continue
      for (const from of before[n]) {
        stale[from] = 1
        if (from >= n) again = true
      }
    }
  }
  const lists = new Map<NodeId, readonly LocalId[]>()
  return {
    has: (node, local) => ((live[node * words + (local >>> 5)] >>> (local & 31)) & 1) !== 0,
    at(node) {
      const known = lists.get(node)
      if (known) return known
      const found: LocalId[] = []
      for (let w = 0; w < words; w++) for (let bits = live[node * words + w]; bits !== 0; bits &= bits - 1) found.push(w * 32 + 31 - Math.clz32(bits & -bits))
      lists.set(node, found)
      return found
    },
  }
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

function localsRead(expr: Expr, into: LocalId[]): void {
  switch (expr.e) {
    case 'const':
      return
    case 'local':
      into.push(expr.local)
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
