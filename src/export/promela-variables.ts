/**
 * Which variable of a process holds which local. Every call in the kernel's code brought its own locals when it was inlined:
 * thousands of `refcount`, of which one or two hold something at a time. Locals of one name that are never live together share a
 * variable, so that SPIN's state vector, and what must be set to 0 where it is dead, stay small. States do not change: where a
 * thread stands tells which of them the variable holds.
 */
import { definitions, type Liveness, liveLocals } from '../ir/liveness.ts'
import type { LocalId, Thread } from '../ir/program.ts'
import { type TransitionGraph, transitionGraphs } from './transition-graph.ts'

/** Index into `ThreadVariables.list`. */
export type VariableId = number

export interface Variable {
  /** The name of the locals it holds. */
  readonly name: string
  /** Smallest and largest value of any of them. */
  readonly lo: number
  readonly hi: number
  /** Some state holds it; if not, it is written and read within one step. */
  readonly held: boolean
}

/** A thread, as far as one must know it to write its process. */
export interface ThreadVariables {
  readonly live: Liveness
  readonly graphs: readonly TransitionGraph[]
  readonly list: readonly Variable[]
  /** By local: the variable that holds it. */
  readonly of: readonly VariableId[]
}

/** Gives every local of a thread its variable. */
export function threadVariables(thread: Thread): ThreadVariables {
  const live = liveLocals(thread)
  const graphs = transitionGraphs(thread)
  const held = new Set(graphs.flatMap((graph) => live.at(graph.start)))
  return { live, graphs, ...shared(thread, live, held) }
}

function shared(thread: Thread, live: Liveness, held: ReadonlySet<LocalId>): Pick<ThreadVariables, 'list' | 'of'> {
  const { locals } = thread
  const groups = new Map<string, LocalId[]>()
  locals.forEach(({ name }, id) => {
    const key = `${held.has(id)} ${name}`
    const group = groups.get(key)
    if (group) group.push(id)
    else groups.set(key, [id])
  })
  const groupOf: number[] = []
  for (const [group, ids] of [...groups.values()].entries()) if (ids.length > 1) for (const id of ids) groupOf[id] = group
  const apart = keptApart(thread, live, groupOf)
  const list: Variable[] = []
  const of: number[] = []
  for (const ids of groups.values()) {
    const first = list.length
    for (const id of ids) {
      const { name, lo, hi } = locals[id]
      const taken = new Set([...(apart[id] ?? [])].map((other) => of[other]))
      let variable = first
      while (taken.has(variable)) variable++
      const known = list[variable] ?? { lo, hi }
      list[variable] = { name, lo: Math.min(known.lo, lo), hi: Math.max(known.hi, hi), held: held.has(id) }
      of[id] = variable
    }
  }
  return { list, of }
}

/** For each local, those of its group that are live, or assigned, where it is. */
function keptApart(thread: Thread, live: Liveness, groupOf: readonly (number | undefined)[]): ReadonlySet<LocalId>[] {
  const apart: Set<LocalId>[] = []
  const together = (a: LocalId, b: LocalId): void => {
    if (a === b) return
    apart[a] = (apart[a] ?? new Set()).add(b)
    apart[b] = (apart[b] ?? new Set()).add(a)
  }
  thread.nodes.forEach((node, id) => {
    const byGroup = new Map<number, LocalId[]>()
    // What is assigned is in the variable even if nobody will read it: whoever is live after it must be elsewhere.
    const assigned = definitions(node)
    const after = 'next' in node && assigned.length > 0 ? live.at(node.next) : []
    for (const list of [live.at(id), assigned.length > 0 ? [...new Set([...assigned, ...after])] : []]) {
      byGroup.clear()
      for (const local of list) {
        const group = groupOf[local]
        if (group === undefined) continue
        const others = byGroup.get(group) ?? []
        for (const other of others) together(local, other)
        byGroup.set(group, [...others, local])
      }
    }
  })
  return apart
}
