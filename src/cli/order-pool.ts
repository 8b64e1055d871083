/** Searches made for `order` by several workers; what is searched next is decided as results come in. */
import { Worker } from 'node:worker_threads'
import { Failure } from './failure.ts'
import type { OrderAnswer, OrderQuestion, OrderStart } from './order-worker.ts'

export interface OrderSource {
  /** The next question, or for a worker, undefined if there is none until more answers came. */
  next(worker: number): OrderQuestion | undefined
  take(answer: OrderAnswer): void
}

/** Asks until the source has no question left and all are answered; false if it was interrupted. */
export async function searchWith(jobs: number, start: OrderStart, source: OrderSource): Promise<boolean> {
  const workers: Worker[] = []
  let interrupted = false
  const interrupt = (): void => {
    interrupted = true
    for (const worker of workers) void worker.terminate()
  }
  process.once('SIGINT', interrupt)
  const idle = new Set<Worker>()
  try {
    await new Promise<void>((resolve, reject) => {
      let ended = 0
      const give = (): void => {
        for (const worker of [...idle]) {
          // What there is none of for one worker there may be for another, who is at it.
          const question = source.next(workers.indexOf(worker))
          if (!question) continue
          idle.delete(worker)
          worker.postMessage(question)
        }
        if (idle.size === workers.length) resolve()
      }
      for (let i = 0; i < jobs; i++) {
        const worker = new Worker(new URL('./order-worker.js', import.meta.url), { workerData: start })
        workers.push(worker)
        idle.add(worker)
        worker.on('message', (answer: OrderAnswer) => {
          if (answer.error !== undefined) return reject(new Failure(answer.error, 2))
          source.take(answer)
          idle.add(worker)
          give()
        })
        worker.once('error', reject)
        worker.once('exit', () => {
          if (++ended === workers.length) resolve()
        })
      }
      give()
    })
  } finally {
    process.removeListener('SIGINT', interrupt)
    for (const worker of workers) void worker.terminate()
  }
  return !interrupted
}
