/** A worker of `mutate.ts`: a laboratory that answers one question at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { Laboratory, type Target, type Word } from './laboratory.ts'
import { allMutants } from './model-files.ts'

export interface WorkerStart {
  readonly maxStates: number
  /** Those that will be asked about. */
  readonly chosen: readonly number[]
}

/** What does this target say of these mutants, those of them that it has? */
export interface Question {
  readonly target: Target
  readonly mutants: readonly number[]
}

export interface Answer {
  readonly words: ReadonlyMap<number, Word>
  readonly error?: string
}

/** As many mutants are compiled into one program: each adds branches to it, and makes it slower to compile and to search. */
const BATCH = 32

if (parentPort) {
  const port = parentPort
  const { maxStates, chosen } = workerData as WorkerStart
  const laboratory = new Laboratory(allMutants(), maxStates, chosen)
  const answer = async ({ target, mutants }: Question): Promise<Map<number, Word>> => {
    if (mutants.length <= BATCH) return laboratory.ask(target, mutants)
    const contained = new Set(laboratory.contained(target))
    const words = new Map<number, Word>(mutants.flatMap((nth) => (contained.has(nth) ? [] : [[nth, { says: 'not in it' } as const]])))
    const open = mutants.filter((nth) => contained.has(nth))
    for (let at = 0; at < open.length; at += BATCH) for (const [nth, word] of await laboratory.ask(target, open.slice(at, at + BATCH))) words.set(nth, word)
    return words
  }
  port.on('message', async (question: Question) => {
    const said = await answer(question).then(
      (words): Answer => ({ words }),
      (error: Error): Answer => ({ words: new Map(), error: error.stack ?? error.message }),
    )
    port.postMessage(said)
  })
}
