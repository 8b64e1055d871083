/** The breadth-first search by several worker threads. */
import { Worker } from 'node:worker_threads'
import type { Program } from '../ir/program.ts'
import { Exchange, type ExchangeBuffers, makeExchange } from './exchange.ts'
import { Findings } from './findings.ts'
import type { PartitionTask } from './partition-search.ts'
import type { Code } from './runner.ts'
import type { Searched, SearchOptions } from './search.ts'
import { OUT_OF_MEMORY } from './store.ts'
import { StoredStates } from './stored-states.ts'
import type { WorkerResult, WorkerTask } from './worker.ts'

/** How often, in milliseconds, the main thread looks at the workers' numbers. */
const LOOK_EVERY = 50

/** Searches all states by levels, each worker the states that its hash selects. Same result as `search`. */
export async function searchInParallel(program: Program, code: Code, jobs: number, options: SearchOptions): Promise<Searched> {
  const { limits, stopAtRace, fingerprint = false, lastLevel = Infinity } = options
  const { workspace } = code
  const buffers = makeExchange(program, jobs, workspace.batch * workspace.fanOut * workspace.record)
  const exchange = new Exchange(buffers)
  let limit: string | undefined
  const look = setInterval(() => {
    const { states, bytes } = exchange
    limit ??= limits.reached(states, bytes)
    if (limit !== undefined) exchange.stop()
    options.onProgress?.({
      states,
      transitions: exchange.transitions,
      depth: exchange.level + 1,
      frontier: exchange.left + exchange.fresh,
      bytes,
      seconds: limits.seconds,
    })
  }, LOOK_EVERY)
  const tasks = Array.from(
    { length: jobs },
    (_, me): PartitionTask => ({ program, code, me, stopAtRace, maxStates: limits.maxStates, maxMemory: limits.maxMemory, fingerprint, lastLevel }),
  )
  let results: WorkerResult[]
  try {
    results = await runWorkers(tasks, buffers)
  } finally {
    clearInterval(look)
  }
  // What made the workers stop by themselves is a limit too, if it was not the end.
  if (exchange.left > 0 || exchange.fresh > 0) limit ??= limits.reached(exchange.states, exchange.bytes) ?? (exchange.stopped ? OUT_OF_MEMORY : undefined)
  else limit = undefined
  const findings = new Findings(program)
  findings.take(exchange.failedAt, exchange.mergedFlags())
  const total = (of: (result: WorkerResult) => number): number => results.reduce((sum, result) => sum + of(result), 0)
  return {
    code,
    stores: results.flatMap((result) => (result.image ? [StoredStates.view(result.image)] : [])),
    levels: results[0].levels.map((_, level) => results.map((result) => result.levels[level])),
    findings,
    states: total((result) => result.states),
    transitions: total((result) => result.transitions + result.ended),
    ended: total((result) => result.ended),
    retreating: total((result) => result.retreating),
    limit,
    peakBytes: total((result) => result.bytes),
    taken: results.map((result) => result.taken).reduce(together),
  }
}

/** What either of two workers has executed. */
function together(one: readonly Uint8Array[] | undefined, other: readonly Uint8Array[] | undefined): readonly Uint8Array[] | undefined {
  return one?.map((nodes, t) => nodes.map((taken, n) => taken | (other?.[t][n] ?? 0)))
}

/** Starts the workers and waits for all; if one fails the others, who would wait for it for ever, are ended. */
async function runWorkers(tasks: readonly PartitionTask[], buffers: ExchangeBuffers): Promise<WorkerResult[]> {
  const workers: Worker[] = []
  try {
    return await Promise.all(
      tasks.map((task) => {
        const workerData: WorkerTask = { task, buffers }
        const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData })
        workers.push(worker)
        return new Promise<WorkerResult>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
          worker.once('exit', () => reject(new Error('[putpage internal bug] a search worker ended without a result')))
        })
      }),
    )
  } finally {
    for (const worker of workers) void worker.terminate()
  }
}
