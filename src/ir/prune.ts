/**
 * Takes out what no thread can notice: state that is written and never read, and steps that touch only state of their own
 * thread. Locks that one thread alone takes, read sections nobody waits for, sequence counters without a writer: the model
 * is written in full, and a scenario pays for the parts that matter to it. Every check keeps its verdict.
 */
import { expressions, liveLocals, successors } from './liveness.ts'
import { type CheckId, type ColumnId, type Expr, isAccess, type Node, type NodeId, type Program, type Thread } from './program.ts'

export interface PruneOptions {
  /** Every node keeps its number: what is taken out becomes a branch that leads on, so that it can still be seen whether it was reached. */
  readonly inPlace?: boolean
}

/** Gives a program with the same verdicts and fewer states. */
export function prune(program: Program, { inPlace = false }: PruneOptions = {}): Program {
  let at = program
  // Each round may make more state unread: a value read only to be written to state that has just gone.
  for (;;) {
    const next = pruneOnce(at, inPlace ? leadingOn : without)
    if (next === at) return at === program ? program : withoutUnused(at)
    at = next
  }
}

/** Takes nodes out of a thread. */
type Take = (thread: Thread, gone: ReadonlySet<NodeId>) => Thread

function pruneOnce(program: Program, take: Take): Program {
  const use = columnUse(program)
  const unread = (column: ColumnId): boolean => use.readers[column].size === 0 && !use.seen.has(column)
  const shares = sharing(use)
  let changed = false
  const threads = program.threads.map((thread) => {
    const pruned = pruneThread(program, thread, unread, shares, take)
    if (pruned !== thread) changed = true
    return pruned
  })
  return changed ? { ...program, threads } : program
}

/** `own` columns are touched by at most one thread and watched by no property; `shared` ones are not, and change. */
interface Sharing {
  readonly own: (column: ColumnId) => boolean
  readonly shared: (column: ColumnId) => boolean
}

function sharing(use: ColumnUse): Sharing {
  const own = (column: ColumnId): boolean => !use.seen.has(column) && new Set([...use.readers[column], ...use.writers[column]]).size <= 1
  return { own, shared: (column) => use.writers[column].size > 0 && !own(column) }
}

/** Which columns of a program change under the eyes of others. */
export function sharedColumns(program: Program): (column: ColumnId) => boolean {
  return sharing(columnUse(program)).shared
}

interface ColumnUse {
  /** Threads that read each column, and that write it. */
  readonly readers: readonly Set<number>[]
  readonly writers: readonly Set<number>[]
  /** Columns that properties look at. */
  readonly seen: ReadonlySet<ColumnId>
}

function columnUse(program: Program): ColumnUse {
  const readers = program.columns.map(() => new Set<number>())
  const writers = program.columns.map(() => new Set<number>())
  const seen = new Set<ColumnId>()
  program.threads.forEach((thread, t) => {
    for (const node of thread.nodes) {
      if (node.op === 'load') for (const place of node.places) readers[place.column].add(t)
      if (node.op === 'store') for (const place of node.places) writers[place.column].add(t)
      for (const expr of expressions(node)) for (const column of columnsRead(expr)) readers[column].add(t)
    }
  })
  const { always, finally: atEnd, eventually, sometimes } = program.properties
  for (const property of [...always, ...atEnd, ...eventually, ...sometimes]) for (const column of columnsRead(property.cond)) seen.add(column)
  for (const property of eventually) seen.add(property.seen)
  return { readers, writers, seen }
}

/** Columns an expression loads. */
export function columnsRead(expr: Expr): ColumnId[] {
  switch (expr.e) {
    case 'const':
    case 'local':
      return []
    case 'load':
      return [expr.place.column, ...columnsRead(expr.place.index)]
    case 'not':
    case 'neg':
      return columnsRead(expr.a)
    case 'bin':
      return [...columnsRead(expr.a), ...columnsRead(expr.b)]
    case 'cond':
      return [...columnsRead(expr.c), ...columnsRead(expr.a), ...columnsRead(expr.b)]
  }
}

function pruneThread(program: Program, thread: Thread, unread: (column: ColumnId) => boolean, { own, shared }: Sharing, take: Take): Thread {
  const live = liveLocals(thread)
  const gone = new Set<NodeId>()
  const quiet = new Set<NodeId>()
  const timed = (n: NodeId): boolean => tailNoticed(thread, n, () => true, shared)
  const nodes: Node[] = thread.nodes.map((node, n): Node => {
    if (node.op === 'store' && node.places.some((place) => unread(place.column))) {
      const kept = node.places.map((place, i) => [place, node.values[i]] as const).filter(([place]) => !unread(place.column))
      if (kept.length > 0) return { ...node, places: kept.map(([place]) => place), values: kept.map(([, value]) => value) }
      if (node.access && timed(n)) return { op: 'step', at: node.at, next: node.next }
      gone.add(n)
    }
    if (node.op === 'load' && node.dsts.every((dst) => !live.has(node.next, dst))) {
      if (node.access && timed(n)) return { op: 'step', at: node.at, next: node.next }
      gone.add(n)
    }
    if (node.op === 'assign' && !live.has(node.next, node.dst) && !node.progress) gone.add(n)
    if ((node.op === 'load' || node.op === 'store') && node.access && node.places.every((place) => own(place.column)) && !timed(n)) quiet.add(n)
    if (node.op === 'step' && !node.guard && node.until !== undefined && !timed(n)) gone.add(n)
    return node
  })
  const silent = new Set([...gone, ...quiet].filter((n) => isAccess(thread.nodes[n])))
  for (const n of [...keptBeforeFatal(program, thread, own, silent), ...keptAtEntry(thread, own, silent)]) {
    gone.delete(n)
    quiet.delete(n)
  }
  keepLoopsApart(thread, nodes, gone, quiet)
  if (gone.size === 0 && quiet.size === 0 && nodes.every((node, n) => node === thread.nodes[n])) return thread
  return take(
    { ...thread, nodes: nodes.map((node, n): Node => (quiet.has(n) && (node.op === 'load' || node.op === 'store') ? { ...node, access: false } : node)) },
    gone,
  )
}

/**
 * True if the moment of an access matters to what is done with it: what comes after it and before the next access (checks,
 * ghost state, the body of a step) looks at a column that others change, or changes one. Such an access must stay a step: what
 * hangs on it would otherwise be done with the access before.
 */
export function tailNoticed(thread: Thread, n: NodeId, counts: (check: CheckId) => boolean, shared: (column: ColumnId) => boolean): boolean {
  const seen = new Set<NodeId>()
  const pending = [...successors(thread.nodes[n])]
  while (pending.length > 0) {
    const at = pending.pop() as NodeId
    const node = thread.nodes[at]
    if (seen.has(at) || endsStep(node)) continue
    seen.add(at)
    if (node.op === 'choose') return true
    if ((node.op === 'load' || node.op === 'store') && node.places.some((place) => shared(place.column))) return true
    if (node.op !== 'check' || counts(node.check)) for (const expr of expressions(node)) if (columnsRead(expr).some(shared)) return true
    pending.push(...successors(node))
  }
  return false
}

/** A step that has made its access ends before this node. */
function endsStep(node: Node): boolean {
  return isAccess(node) || (node.op === 'choose' && !node.attached)
}

/**
 * The silent accesses that come first after a change others can see, if a fatal check follows in the same step. Before they were
 * silent the others could run between that change and the check; in one step with it the change would never be seen.
 */
export function keptBeforeFatal(program: Program, thread: Thread, hidden: (column: ColumnId) => boolean, silent: ReadonlySet<NodeId>): NodeId[] {
  /** Visits what a step executes after a node, but nothing behind nodes for which `visit` is true. */
  const follow = (from: NodeId, visit: (n: NodeId) => boolean): void => {
    const seen = new Set<NodeId>()
    const pending = [...successors(thread.nodes[from])]
    while (pending.length > 0) {
      const n = pending.pop() as NodeId
      if (seen.has(n) || (endsStep(thread.nodes[n]) && !silent.has(n))) continue
      seen.add(n)
      if (!visit(n)) pending.push(...successors(thread.nodes[n]))
    }
  }
  const fatalAhead = (from: NodeId): boolean => {
    let found = false
    follow(from, (n) => {
      const node = thread.nodes[n]
      if (node.op === 'check' && program.checks[node.check].fatal) found = true
      return found
    })
    return found
  }
  const kept = new Set<NodeId>()
  thread.nodes.forEach((node, source) => {
    if (node.op !== 'store' || node.places.every((place) => hidden(place.column))) return
    follow(source, (n) => {
      if (silent.has(n) && fatalAhead(n)) kept.add(n)
      return silent.has(n)
    })
  })
  return [...kept]
}

/**
 * The silent accesses that come first in a thread, if a change that others can see stands before them. What a thread does
 * before its first access is done in one step with it; with the access after that, the change would be seen later or never.
 */
export function keptAtEntry(thread: Thread, hidden: (column: ColumnId) => boolean, silent: ReadonlySet<NodeId>): NodeId[] {
  const kept: NodeId[] = []
  const seen = new Set<string>()
  const pending: { n: NodeId; changed: boolean }[] = [{ n: thread.entry, changed: false }]
  while (pending.length > 0) {
    const { n, changed } = pending.pop() as { n: NodeId; changed: boolean }
    const node = thread.nodes[n]
    if (seen.has(`${n} ${changed}`)) continue
    seen.add(`${n} ${changed}`)
    if (isAccess(node) && !silent.has(n)) continue
    if (changed && silent.has(n)) {
      kept.push(n)
      continue
    }
    const changes = node.op === 'store' && node.places.some((place) => !hidden(place.column))
    for (const next of successors(node)) pending.push({ n: next, changed: changed || changes })
  }
  return kept
}

/** A loop must keep an access: otherwise a transition would not end. */
function keepLoopsApart(thread: Thread, nodes: readonly Node[], gone: Set<NodeId>, quiet: Set<NodeId>): void {
  for (;;) {
    // A choice ends a transition only after an access.
    const silent = (n: NodeId): boolean => gone.has(n) || quiet.has(n) || !isAccess(nodes[n])
    const loop = silentLoop(thread, silent)
    const restored = loop?.find((n) => isAccess(nodes[n]) && (gone.has(n) || quiet.has(n)))
    if (restored === undefined) return
    gone.delete(restored)
    quiet.delete(restored)
  }
}

/** Nodes of some loop that goes through silent nodes only. */
function silentLoop(thread: Thread, silent: (n: NodeId) => boolean): NodeId[] | undefined {
  const state = new Map<NodeId, 'open' | 'done'>()
  for (let root = 0; root < thread.nodes.length; root++) {
    if (state.has(root) || !silent(root)) continue
    const path: { node: NodeId; next: readonly NodeId[]; at: number }[] = []
    const enter = (n: NodeId): void => {
      state.set(n, 'open')
      path.push({ node: n, next: successors(thread.nodes[n]).filter(silent), at: 0 })
    }
    enter(root)
    while (path.length > 0) {
      const top = path[path.length - 1]
      if (top.at === top.next.length) {
        state.set(top.node, 'done')
        path.pop()
        continue
      }
      const target = top.next[top.at++]
      if (state.get(target) === 'open') return path.slice(path.findIndex((one) => one.node === target)).map((one) => one.node)
      if (!state.has(target)) enter(target)
    }
  }
  return undefined
}

/** The thread without some nodes: edges go on to what came after them. */
function without(thread: Thread, gone: ReadonlySet<NodeId>): Thread {
  const after = (n: NodeId): NodeId => {
    let at = n
    for (;;) {
      const node = thread.nodes[at]
      if (!gone.has(at) || node.op === 'end' || node.op === 'branch') return at
      at = node.next
    }
  }
  const kept = thread.nodes.map((_, n) => n).filter((n) => !gone.has(n))
  const number = new Map(kept.map((n, i) => [n, i]))
  const to = (n: NodeId): NodeId => number.get(after(n)) as NodeId
  const before = (n: NodeId): number => {
    // Nodes keep their order: the first kept node at or after n has its place.
    for (let at = n; at < thread.nodes.length; at++) {
      const place = number.get(at)
      if (place !== undefined) return place
    }
    return kept.length
  }
  const nodes = kept.map((n): Node => {
    const node = thread.nodes[n]
    if (node.op === 'end') return node
    if (node.op === 'branch') return { ...node, then: to(node.then), else: to(node.else) }
    if (node.op === 'step' && node.until !== undefined) return { ...node, next: to(node.next), until: before(node.until) }
    return { ...node, next: to(node.next) }
  })
  return { ...thread, entry: to(thread.entry), nodes }
}

/** The thread with some nodes made branches that lead on in any case. */
function leadingOn(thread: Thread, gone: ReadonlySet<NodeId>): Thread {
  const nodes = thread.nodes.map((node, n): Node => {
    if (!gone.has(n) || node.op === 'end' || node.op === 'branch') return node
    return { op: 'branch', at: node.at, cond: { e: 'const', value: 1 }, then: node.next, else: node.next }
  })
  return { ...thread, nodes }
}

/** Columns nothing refers to any more hold one value for ever: no bits, and every reference by number stays right. */
function withoutUnused(program: Program): Program {
  const use = columnUse(program)
  const used = (column: ColumnId): boolean => use.seen.has(column) || use.readers[column].size > 0 || use.writers[column].size > 0
  return {
    ...program,
    columns: program.columns.map((column, c) => (used(c) ? column : { ...column, lo: Math.min(...column.init), hi: Math.max(...column.init) })),
  }
}
