/** Of many states the first ones, in an order that does not depend on how they were found. */
import type { StateGraph } from './graph.ts'

/** Of the failing states of a level no more than this many are walked back from. */
const MOST_TARGETS = 1024

/** Gives all states, or if there are too many the least packed ones. */
export function leastPacked(graph: StateGraph, states: readonly number[]): readonly number[] {
  if (states.length <= MOST_TARGETS) return states
  const { words } = graph.layout
  const packed = new Int32Array(states.length * words)
  states.forEach((state, i) => {
    graph.read(state, packed, i * words)
  })
  const compare = (a: number, b: number): number => {
    for (let w = 0; w < words; w++) {
      const difference = packed[a * words + w] - packed[b * words + w]
      if (difference !== 0) return difference
    }
    return 0
  }
  const order = states.map((_, i) => i).sort(compare)
  return order.slice(0, MOST_TARGETS).map((i) => states[i])
}
