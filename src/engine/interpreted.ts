/**
 * Successors made by the interpreter, in the same records that generated code writes: for searches that end before the code
 * would have been written. A scenario may have ten thousand nodes and five hundred states.
 */
import { evaluate } from '../ir/evaluate.ts'
import { interpret } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'
import { hashWords } from './hash.ts'
import { type Layout, pack, unpack } from './layout.ts'
import { FAILED, FLAG_BITS, PROGRESS, planWorkspace, type Workspace } from './workspace.ts'

/** How many successors a state may have here. No step of a model chooses among so many; one that does is for generated code. */
const MOST_SUCCESSORS = 1024

/** A state has more successors than there is room for. */
export class TooManySuccessors extends Error {}

/** Room for one state and its successors. */
export function interpretedWorkspace(program: Program, layout: Layout): Workspace {
  return planWorkspace(program, layout, MOST_SUCCESSORS)
}

/** Gives what does as `expand(count)` of `codegen.ts`, on the first words of a memory. It throws TooManySuccessors. */
export function interpretedExpander(program: Program, layout: Layout, workspace: Workspace, memory: Int32Array): (count: number) => number {
  // What is dead is not packed: the interpreter need not zero it.
  const interpreter = interpret(program, { zeroDeadLocals: false })
  const { shape } = interpreter
  const { words } = layout
  const { always, sometimes } = program.properties
  const judgesStates = always.length + program.properties.finally.length + program.properties.eventually.length > 0

  const fail = (check: number): void => {
    memory[workspace.violated + check] = 1
    memory[workspace.alarm] = 1
  }

  /** Judges the properties of a state; true if all its threads have ended. */
  function inspect(state: Int32Array): boolean {
    if (judgesStates) for (const check of interpreter.stateViolations(state)) fail(check)
    sometimes.forEach(({ cond }, i) => {
      if (memory[workspace.sometimes + i] === 0 && evaluate(cond, state, shape, 0) !== 0) memory[workspace.sometimes + i] = 1
    })
    return shape.threadBase.every((base) => state[base] === DONE)
  }

  return (count) => {
    let out = workspace.out
    for (let i = 0; i < count; i++) {
      const state = unpack(layout, memory, workspace.source + i * words)
      const ended = inspect(state)
      const transitions = interpreter.successors(state)
      if (transitions.length > MOST_SUCCESSORS) throw new TooManySuccessors()
      if (transitions.length === 0 && !ended) memory[workspace.hung + 1 + memory[workspace.hung]++] = i
      for (const { thread, violations, progress, failed, to } of transitions) {
        for (const check of violations) fail(check)
        if (to === null) {
          memory[workspace.fatal]++
          continue
        }
        pack(layout, to, memory, out)
        memory[out + words] = hashWords(memory, out, words)
        memory[out + words + 1] = (thread << FLAG_BITS) | (progress ? PROGRESS : 0) | (failed ? FAILED : 0)
        out += workspace.record
      }
    }
    return out
  }
}
