/** A saved counterexample stepped again on the model as it is now. */
import type { Counterexample, Step } from '../engine/verdict.ts'
import { interpret, type Transition } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import type { Parsed, SavedCounterexample } from './saved.ts'
import { threadNames } from './values.ts'

/**
 * Steps a saved counterexample again. `program` is the scenario compiled for the saved kernel and changes, at the saved grain.
 * Fails with a sentence for the user if the model is another one, or does not go where the file says.
 */
export function replaySaved(saved: SavedCounterexample, program: Program): Parsed<Counterexample> {
  if (saved.program !== program.hash) {
    const hashes = `it was ${saved.program}, now it is ${program.hash}`
    return { ok: false, error: `the model changed since this counterexample was saved (${hashes}): run putpage check ${saved.scenario} again` }
  }
  const check = program.checks.findIndex(({ id }) => id === saved.check)
  if (check < 0) return { ok: false, error: `${program.scenario} on ${program.kernel} has no check '${saved.check}'` }
  const names = threadNames(program)
  const machine = interpret(program)
  const steps: Step[] = []
  let from: Int32Array | null = machine.initial()
  for (const [i, { thread, choices }] of saved.steps.entries()) {
    const index = names.indexOf(thread)
    if (index < 0) return { ok: false, error: `step ${i + 1}: there is no thread '${thread}'; the threads are ${names.join(', ')}` }
    if (!from) return { ok: false, error: `step ${i + 1}: the path ended at step ${i}` }
    const transition: Transition | undefined = machine.threadSuccessors(from, index).find((one) => one.choices.join() === choices.join())
    if (!transition) {
      const why = machine.blocked(from, index) ? 'cannot move' : `has no step with choices [${choices.join(', ')}]`
      return { ok: false, error: `step ${i + 1}: ${thread} ${why}` }
    }
    steps.push({ from, transition })
    from = transition.to
  }
  return { ok: true, value: { check, steps, ...(saved.cycleFrom === undefined ? {} : { cycleFrom: saved.cycleFrom }) } }
}
