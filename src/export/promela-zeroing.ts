/**
 * Which variables of a process a transition must set to 0, and where: as soon as nobody will read what they may hold. A transition
 * can branch many times before it stops, so what is zeroed before the branches need not be zeroed after each.
 */
import { definitions } from '../ir/liveness.ts'
import type { NodeId } from '../ir/program.ts'
import type { ThreadVariables, VariableId } from './promela-variables.ts'
import type { Item, TransitionGraph } from './transition-graph.ts'

export interface Zeroing {
  /** To be zeroed before an item. */
  before(item: number): readonly VariableId[]
  /** To be zeroed where the transition, after item `from`, stops at `at`; undefined: the thread has ended. */
  after(from: number, at: NodeId | undefined): readonly VariableId[]
}

/** Follows what the variables of a thread hold through the transitions of a graph. */
export function zeroing(graph: TransitionGraph, thread: ThreadVariables): Zeroing {
  const { live, list, of } = thread
  const liveAt = (node: NodeId): Set<VariableId> => new Set(live.at(node).map((local) => of[local]))
  const dead = (filled: ReadonlySet<VariableId>, at: NodeId): VariableId[] => {
    const alive = liveAt(at)
    return [...filled].filter((variable) => !alive.has(variable)).sort((a, b) => a - b)
  }
  /** What may not be 0 when an item is reached. */
  const reached = new Map<number, Set<VariableId>>([[graph.entry, liveAt(graph.start)]])
  const work = [graph.entry]
  while (work.length > 0) {
    const item = graph.items.get(work.pop() as number) as Item
    const filled = filledAfter(item)
    for (const to of item.next) {
      if (to.kind !== 'item') continue
      const known = reached.get(to.key)
      if (known && [...filled].every((variable) => known.has(variable))) continue
      reached.set(to.key, new Set([...(known ?? []), ...filled]))
      work.push(to.key)
    }
  }

  /** What may not be 0 after an item, before which the dead was zeroed. */
  function filledAfter({ key, id, node }: Item): Set<VariableId> {
    const filled = new Set(reached.get(key))
    for (const variable of dead(filled, id)) filled.delete(variable)
    for (const local of definitions(node)) {
      if (!list[of[local]].held) continue
      if (node.op !== 'assign') filled.add(of[local])
      else if (!live.has(node.next, local)) continue
      else if (node.value.e === 'const' && node.value.value === 0) filled.delete(of[local])
      else filled.add(of[local])
    }
    return filled
  }

  return {
    before(item) {
      return dead(reached.get(item) as Set<VariableId>, (graph.items.get(item) as Item).id)
    },
    after(from, at) {
      const filled = filledAfter(graph.items.get(from) as Item)
      return at === undefined ? [...filled].sort((a, b) => a - b) : dead(filled, at)
    },
  }
}
