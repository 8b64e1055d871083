/** Strongly connected components of the graph's edges without progress (Pearce's variant of Tarjan's algorithm, without recursion). */
import type { StateGraph } from './graph.ts'
import type { Limits } from './limits.ts'

/** Bytes a state that the algorithm needs besides its stacks. */
export const BYTES_A_STATE = 4

/** A growing stack of numbers. */
class Stack {
  private items = new Int32Array(1024)
  length = 0

  push(item: number): void {
    if (this.length === this.items.length) {
      const items = new Int32Array(this.length * 2)
      items.set(this.items)
      this.items = items
    }
    this.items[this.length++] = item
  }

  pop(): number {
    return this.items[--this.length]
  }

  at(i: number): number {
    return this.items[i]
  }
}

/**
 * Numbers the components of all states reachable from the graph's loop heads by silent edges. Calls `found` for each component
 * that has an edge, with its members. The result tells each visited state's component; others are 0. Null if out of time.
 */
export async function findComponents(graph: StateGraph, limits: Limits, found: (members: readonly number[]) => void): Promise<Int32Array | null> {
  // While a state is open: its least reachable index; afterwards: its component, counted downwards from far above all indices.
  const number = new Int32Array(graph.size)
  const closed = new Stack()
  // Open states, for each where its list of targets begins, and whether it is still the root of its component.
  const open = new Stack()
  const begins = new Stack()
  const targets = new Stack()
  const roots: boolean[] = []
  const loops: boolean[] = []
  let index = 1
  let component = 2 ** 31 - 1

  const enter = (state: number): void => {
    number[state] = index++
    open.push(state)
    begins.push(targets.length)
    roots.push(true)
    let self = false
    const count = graph.expand(state)
    for (let i = 0; i < count; i++) {
      if (graph.flags(i) !== 0) continue
      const to = graph.target(i)
      if (to === state) self = true
      else if (to >= 0) targets.push(to)
    }
    loops.push(self)
  }
  const merge = (state: number, to: number): void => {
    if (number[to] >= number[state]) return
    number[state] = number[to]
    roots[roots.length - 1] = false
  }
  const leave = (): void => {
    const state = open.pop()
    begins.pop()
    const self = loops.pop() as boolean
    if (!roots.pop()) {
      closed.push(state)
      return
    }
    index--
    const members = [state]
    while (closed.length > 0 && number[state] <= number[closed.at(closed.length - 1)]) {
      const member = closed.pop()
      members.push(member)
      number[member] = component
      index--
    }
    number[state] = component--
    if (members.length > 1 || self) found(members)
  }

  let done = 0
  for (const head of graph.heads()) {
    if (number[head] !== 0) continue
    enter(head)
    while (open.length > 0) {
      const state = open.at(open.length - 1)
      if (targets.length > begins.at(begins.length - 1)) {
        const to = targets.at(targets.length - 1)
        // A target stays in the list until its own visit is over, and is then merged.
        if (number[to] === 0) enter(to)
        else {
          targets.pop()
          merge(state, to)
        }
      } else {
        leave()
        if ((++done & 1023) !== 0) continue
        await limits.breathe()
        if (limits.interrupted || limits.timedOut) return null
      }
    }
  }
  return number
}
