/** Grain `lock`: accesses to fields that only their lock's holder touches become part of the step around them. */
import { expressions, successors } from '../ir/liveness.ts'
import { type CheckId, type ColumnId, type Expr, isAccess, type Node, type NodeId, type Program, type Thread } from '../ir/program.ts'
import { keptAtEntry, keptBeforeFatal, sharedColumns, tailNoticed } from '../ir/prune.ts'

/**
 * Makes the loads and stores of guarded columns local computation, except where a property or a guard could see the
 * difference, except for one access in each loop that would otherwise never stop, and except where what others can see would
 * vanish together with a path that a fatal check ends.
 */
export function fuse(program: Program): Program {
  const hidden = new Set(program.guarded)
  for (const column of seenFromOutside(program)) hidden.delete(column)
  if (hidden.size === 0) return program
  const shared = sharedColumns(program)
  // Whether a thread holds a lock only that thread decides: a race check gives the same at any moment before the next access.
  const counts = (check: CheckId): boolean => program.checks[check].kind !== 'race'
  const noticed = (thread: Thread, n: NodeId): boolean => tailNoticed(thread, n, counts, (column) => shared(column) && !hidden.has(column))
  return { ...program, threads: program.threads.map((thread) => fuseThread(program, thread, hidden, noticed)) }
}

function seenFromOutside(program: Program): Set<ColumnId> {
  const seen = new Set<ColumnId>()
  const { always, finally: atEnd, eventually, sometimes } = program.properties
  for (const property of [...always, ...atEnd, ...eventually, ...sometimes]) columnsRead(property.cond, seen)
  for (const property of eventually) seen.add(property.seen)
  for (const thread of program.threads) {
    for (const node of thread.nodes) if (node.op === 'step') for (const expr of expressions(node)) columnsRead(expr, seen)
  }
  return seen
}

function columnsRead(expr: Expr, into: Set<ColumnId>): void {
  switch (expr.e) {
    case 'const':
    case 'local':
      return
    case 'load':
      into.add(expr.place.column)
      columnsRead(expr.place.index, into)
      return
    case 'not':
    case 'neg':
      columnsRead(expr.a, into)
      return
    case 'bin':
      columnsRead(expr.a, into)
      columnsRead(expr.b, into)
      return
    case 'cond':
      columnsRead(expr.c, into)
      columnsRead(expr.a, into)
      columnsRead(expr.b, into)
  }
}

/** An access that is `noticed` stays a step: what follows it depends on when it is made (memory may go while a lock is held). */
function fuseThread(program: Program, thread: Thread, hidden: ReadonlySet<ColumnId>, noticed: (thread: Thread, n: NodeId) => boolean): Thread {
  const fused = new Set<NodeId>()
  thread.nodes.forEach((node, n) => {
    if ((node.op === 'load' || node.op === 'store') && node.access && node.places.every((place) => hidden.has(place.column)) && !noticed(thread, n))
      fused.add(n)
  })
  const unseen = (column: ColumnId): boolean => hidden.has(column)
  for (const n of [...keptBeforeFatal(program, thread, unseen, fused), ...keptAtEntry(thread, unseen, fused)]) fused.delete(n)
  for (;;) {
    const silent = (n: NodeId): boolean => fused.has(n) || !isAccess(thread.nodes[n])
    const kept = keptInCycles(thread, silent, fused)
    if (kept.length === 0) break
    for (const n of kept) fused.delete(n)
  }
  if (fused.size === 0) return thread
  return {
    ...thread,
    nodes: thread.nodes.map((node, n): Node => (fused.has(n) && (node.op === 'load' || node.op === 'store') ? { ...node, access: false } : node)),
  }
}

/** For each cycle of nodes without access, as a strongly connected component: its first fused node. */
function keptInCycles(thread: Thread, silent: (n: NodeId) => boolean, fused: ReadonlySet<NodeId>): NodeId[] {
  const next = (n: NodeId): NodeId[] => successors(thread.nodes[n]).filter(silent)
  const index = new Map<NodeId, number>()
  const low = new Map<NodeId, number>()
  const open: NodeId[] = []
  const isOpen = new Set<NodeId>()
  const kept: NodeId[] = []
  const enter = (n: NodeId): { n: NodeId; pending: NodeId[] } => {
    index.set(n, index.size)
    low.set(n, index.get(n) as number)
    open.push(n)
    isOpen.add(n)
    return { n, pending: next(n) }
  }
  thread.nodes.forEach((_, root) => {
    if (!silent(root) || index.has(root)) return
    const stack = [enter(root)]
    while (stack.length > 0) {
      const { n, pending } = stack[stack.length - 1]
      const to = pending.pop()
      if (to !== undefined) {
        if (!index.has(to)) stack.push(enter(to))
        else if (isOpen.has(to)) low.set(n, Math.min(low.get(n) as number, index.get(to) as number))
        continue
      }
      stack.pop()
      const above = stack[stack.length - 1]
      if (above) low.set(above.n, Math.min(low.get(above.n) as number, low.get(n) as number))
      if (low.get(n) !== index.get(n)) continue
      const component = open.splice(open.indexOf(n))
      for (const member of component) isOpen.delete(member)
      const cyclic = component.length > 1 || next(n).includes(n)
      const first = Math.min(...component.filter((member) => fused.has(member)))
      if (cyclic && first !== Infinity) kept.push(first)
    }
  })
  return kept
}
