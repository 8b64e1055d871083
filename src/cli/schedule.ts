/** Ways to choose the next transition of a concrete run. */
import { readFileSync } from 'node:fs'
import type { Transition } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import { parseSaved } from '../report/saved.ts'
import { Failure } from './failure.ts'

/** Chooses among the transitions that are possible; undefined ends the run. */
export type Schedule = (possible: readonly Transition[], step: number) => Transition | undefined

/** Each thread in turn; of a thread's choices the first. */
export function roundRobin(threads: number): Schedule {
  let last = -1
  return (possible) => {
    for (let i = 1; i <= threads; i++) {
      const thread = (last + i) % threads
      const found = possible.find((transition) => transition.thread === thread)
      if (found) {
        last = thread
        return found
      }
    }
    return undefined
  }
}

/** Any, by a generator that gives the same run for the same seed (mulberry32). */
export function random(seed: number): Schedule {
  let state = seed >>> 0
  return (possible) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return possible[((mixed ^ (mixed >>> 14)) >>> 0) % possible.length]
  }
}

/** A file: a saved counterexample, or a thread name a line. After its end, each thread in turn. */
export function fromFile(file: string, program: Program): Schedule {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(`cannot read ${file}: ${(error as Error).message}`)
  }
  const names = program.threads.map((thread) => thread.name)
  const steps = text.trimStart().startsWith('{')
    ? savedSteps(file, text)
    : text
        .split('\n')
        .map((line) => ({ thread: line.trim(), choices: [] as readonly number[] }))
        .filter((line) => line.thread !== '' && !line.thread.startsWith('#'))
  for (const [i, { thread }] of steps.entries())
    if (!names.includes(thread)) throw new Failure(`${file}, step ${i + 1}: there is no thread '${thread}'; the threads: ${names.join(', ')}`)
  const after = roundRobin(names.length)
  return (possible, step) => {
    if (step >= steps.length) return after(possible, step)
    const { thread, choices } = steps[step]
    const own = possible.filter((transition) => names[transition.thread] === thread)
    if (own.length === 0) throw new Failure(`${file}, step ${step + 1}: ${thread} cannot move here`)
    return own.find((transition) => choices.length > 0 && transition.choices.join() === choices.join()) ?? own[0]
  }
}

function savedSteps(file: string, text: string): readonly { thread: string; choices: readonly number[] }[] {
  const parsed = parseSaved(text)
  if (!parsed.ok) throw new Failure(`${file}: ${parsed.error}`)
  return parsed.value.steps
}
