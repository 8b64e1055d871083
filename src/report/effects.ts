/** What each node of a transition read and wrote: the transition is run again along its recorded nodes. */

import type { Step } from '../engine/verdict.ts'
import { evaluate } from '../ir/evaluate.ts'
import type { ColumnId, Node, NodeId, Place, Program } from '../ir/program.ts'
import { DONE, type VectorShape } from '../ir/state.ts'

/** One read or write of one cell of shared state. */
export interface Effect {
  readonly node: NodeId
  readonly kind: 'read' | 'write'
  readonly column: ColumnId
  readonly index: number
  readonly value: number
  /** What the cell held before a write. */
  readonly before: number
}

export interface Effects {
  readonly effects: readonly Effect[]
  /** The state after the step; also known when a fatal check ended the path. */
  readonly after: Int32Array
}

/** Runs one step of a counterexample again and says which node touched what. */
export function effectsOf(program: Program, shape: VectorShape, step: Step): Effects {
  const { transition } = step
  const nodes: readonly Node[] = program.threads[transition.thread].nodes
  const base = shape.threadBase[transition.thread]
  const state = Int32Array.from(step.from)
  const effects: Effect[] = []
  let chosen = 0

  const indexOf = (place: Place): number => evaluate(place.index, state, shape, base)
  const touch = (node: NodeId, kind: Effect['kind'], column: ColumnId, index: number, value: number): void => {
    effects.push({ node, kind, column, index, value, before: state[shape.columnBase[column] + index] })
  }

  for (const id of transition.nodes) {
    const node = nodes[id]
    switch (node.op) {
      case 'assign':
        state[base + 1 + node.dst] = evaluate(node.value, state, shape, base)
        break
      case 'load': {
        const values = node.places.map((place) => {
          const index = indexOf(place)
          const value = state[shape.columnBase[place.column] + index]
          touch(id, 'read', place.column, index, value)
          return value
        })
        node.dsts.forEach((dst, i) => {
          state[base + 1 + dst] = values[i]
        })
        break
      }
      case 'store': {
        const indices = node.places.map(indexOf)
        const values = node.values.map((value) => evaluate(value, state, shape, base))
        node.places.forEach(({ column }, i) => {
          touch(id, 'write', column, indices[i], values[i])
          state[shape.columnBase[column] + indices[i]] = values[i]
        })
        break
      }
      case 'choose':
        state[base + 1 + node.dst] = transition.choices[chosen++]
        break
      case 'end':
        state[base] = DONE
        break
      case 'step':
      case 'branch':
      case 'check':
        break
    }
  }
  return { effects, after: transition.to ?? state }
}
