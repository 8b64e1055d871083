/**
 * Threads that work on units of a trace.dat, each on its own; the results come back in any order. They are started before it is known what the file
 * holds (`early-threads.ts`), since they take their time to start. The main thread has merging and judging to do, which takes longer: it works on units
 * only where there are no others.
 */
import type { Worker } from 'node:worker_threads'
import type { Inflate } from '../trace/byte-file.ts'
import { ownThread } from '../trace/dat/read.ts'
import type { UnitJob, UnitLayout, UnitResult, UnitRunner } from '../trace/dat/unit.ts'

export interface UnitThreads {
  readonly make: (layout: UnitLayout, inflate: Inflate) => UnitRunner
  /** Ends the threads. */
  close(): Promise<void>
}

/** What a worker is told first. */
export interface Order {
  readonly layout: UnitLayout
}

/** Units a worker has before it, so that it does not wait while the main thread judges: with 2 a worker was idle half of the time. */
const BEFORE = 4

interface Waiting {
  readonly job: UnitJob
  readonly done: (found: { parser: number; result: UnitResult }) => void
}

/** Uses these threads; none: this one does all. */
export function unitThreads(workers: readonly Worker[]): UnitThreads {
  return {
    make(layout, inflate) {
      return workers.length === 0 ? ownThread(layout, inflate) : new Shared(workers, layout)
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

class Shared implements UnitRunner {
  readonly width: number
  private readonly workers: readonly Worker[]
  /** Given out to each worker, in order. */
  private readonly out: Waiting[][]
  private readonly queue: Waiting[] = []
  private readonly failure: Promise<never>

  constructor(workers: readonly Worker[], layout: UnitLayout) {
    this.workers = workers
    // As many again are read and wait for a worker.
    this.width = workers.length * BEFORE * 2
    this.out = workers.map(() => [])
    this.failure = new Promise((_, reject) => {
      for (const worker of workers) worker.on('error', reject)
    })
    this.failure.catch(() => {})
    workers.forEach((worker, i) => {
      worker.postMessage({ layout } satisfies Order)
      worker.on('message', (result: UnitResult) => {
        const waiting = this.out[i].shift()
        this.giveOut()
        waiting?.done({ parser: i, result })
      })
    })
  }

  run(job: UnitJob): Promise<{ readonly parser: number; readonly result: UnitResult }> {
    const found = new Promise<{ parser: number; result: UnitResult }>((done) => this.queue.push({ job, done }))
    this.giveOut()
    return Promise.race([found, this.failure])
  }

  private giveOut(): void {
    for (let depth = 0; depth < BEFORE; depth++) {
      for (let i = 0; i < this.workers.length && this.queue.length > 0; i++) {
        if (this.out[i].length > depth) continue
        const waiting = this.queue.shift() as Waiting
        this.out[i].push(waiting)
        const { job } = waiting
        this.workers[i].postMessage(job, job.buffer ? [job.bytes.buffer, job.buffer] : [job.bytes.buffer])
      }
    }
  }
}
