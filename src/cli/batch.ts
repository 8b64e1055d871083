/** Many searches at once: each worker takes the next one, in order. The results do not depend on how many there are. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ExploreOptions } from '../engine/verdict.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { progressLine } from '../report/progress.ts'
import type { Run } from '../report/run.ts'
import type { BatchAnswer, BatchQuestion, BatchStart } from './batch-worker.ts'
import { Failure } from './failure.ts'
import { compileFor, type Selection } from './models.ts'
import { type HowToSearch, searchOne } from './one-search.ts'

/** One search: a scenario on a kernel. */
export interface Task {
  readonly scenario: ScenarioDeclaration
  readonly kernel: string | undefined
  /** Switches of this search only; absent: those of the batch. */
  readonly changes?: Changes
}

/** Switches added to a kernel and taken from it. */
export interface Changes {
  readonly with: readonly string[]
  readonly without: readonly string[]
}

export interface BatchOptions extends Changes, HowToSearch {}

/** Starting a worker costs as much as several small searches. */
const WORTH_WORKERS = 4

/** Runs the searches; on Ctrl-C gives those that ended, and the one interrupted with what it covered where that is known. */
export async function runAll(selection: Selection, tasks: readonly Task[], options: BatchOptions): Promise<Run[]> {
  const jobs = Math.min(options.explore.jobs ?? availableParallelism(), tasks.length)
  return jobs > 1 && tasks.length >= WORTH_WORKERS ? inWorkers(tasks, options, jobs) : inOrder(selection, tasks, options)
}

async function inOrder(selection: Selection, tasks: readonly Task[], options: BatchOptions): Promise<Run[]> {
  const abort = new AbortController()
  const interrupt = (): void => abort.abort()
  process.once('SIGINT', interrupt)
  const runs: Run[] = []
  for (const { scenario, kernel, changes } of tasks) {
    if (abort.signal.aborted) break
    const program = compileFor(selection.model, scenario, kernel, changes ?? options)
    const line = progressLine(process.stderr, `${scenario.name} ${kernel ?? ''}`)
    runs.push(await searchOne(selection.model, program, { ...options, explore: { ...options.explore, signal: abort.signal, onProgress: line.update } }))
    line.clear()
  }
  process.removeListener('SIGINT', interrupt)
  return runs
}

async function inWorkers(tasks: readonly Task[], options: BatchOptions, jobs: number): Promise<Run[]> {
  const results: (Run | undefined)[] = tasks.map(() => undefined)
  let next = 0
  let done = 0
  const started = Date.now()
  const say = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  }
  const workers: Worker[] = []
  let interrupted = false
  const interrupt = (): void => {
    interrupted = true
    for (const worker of workers) void worker.terminate()
  }
  process.once('SIGINT', interrupt)
  try {
    await Promise.all(
      Array.from({ length: jobs }, () => {
        const start: BatchStart = {
          files: [...new Set(tasks.map((task) => task.scenario.file.fileName))],
          explore: { ...withoutFunctions(options.explore), jobs: 1 },
          ...(options.random ? { random: options.random } : {}),
        }
        const worker = new Worker(new URL('./batch-worker.js', import.meta.url), { workerData: start })
        workers.push(worker)
        return new Promise<void>((resolve, reject) => {
          const give = (): void => {
            if (next >= tasks.length) {
              void worker.terminate()
              return
            }
            const index = next++
            const { scenario, kernel, changes } = tasks[index]
            say(`${done} of ${tasks.length} searches, ${((Date.now() - started) / 1000).toFixed(0)} s: ${scenario.name} ${kernel ?? ''}`)
            const question: BatchQuestion = {
              index,
              file: scenario.file.fileName,
              kernel,
              changes: changes ?? { with: options.with, without: options.without },
            }
            worker.postMessage(question)
          }
          worker.on('message', (answer: BatchAnswer) => {
            if (answer.error !== undefined) {
              reject(new Failure(answer.error, 2))
              return
            }
            results[answer.index] = answer.run
            done++
            give()
          })
          worker.once('error', reject)
          worker.once('exit', () => resolve())
          give()
        })
      }),
    )
  } finally {
    process.removeListener('SIGINT', interrupt)
    for (const worker of workers) void worker.terminate()
    say('')
  }
  if (interrupted) process.stderr.write(`interrupted: ${done} of ${tasks.length} searches were made\n`)
  const runs = results.flatMap((run) => (run ? [run] : []))
  if (interrupted) process.exitCode = 3
  return runs
}

/** What can be sent to a worker. */
function withoutFunctions({ signal: _signal, onProgress: _onProgress, ...rest }: ExploreOptions): ExploreOptions {
  return rest
}
