/** Threads that work on units of a trace.dat, each on its own; the results come back in any order. */
import { Worker } from 'node:worker_threads'
import type { Inflate } from '../trace/byte-file.ts'
import { ownThread } from '../trace/dat/read.ts'
import type { UnitJob, UnitLayout, UnitResult, UnitRunner } from '../trace/dat/unit.ts'

export interface UnitThreads {
  readonly make: (layout: UnitLayout) => UnitRunner
  /** Ends the threads. */
  close(): Promise<void>
}

/** Files with less data than this are read in the main thread: starting others takes longer. */
export const WORTH_THREADS = 3 * 1024 * 1024

/** Uses `threads` worker threads; 0: this one. */
export function unitThreads(threads: number, inflate: Inflate): UnitThreads {
  const workers: Worker[] = []
  return {
    make(layout) {
      if (threads === 0) return ownThread(layout, inflate)
      const waiting: ((done: { parser: number; result: UnitResult }) => void)[][] = []
      let failed: ((error: Error) => void) | undefined
      const failure = new Promise<never>((_, reject) => {
        failed = reject
      })
      failure.catch(() => {})
      const busy: number[] = []
      for (let i = 0; i < threads; i++) {
        const worker = new Worker(new URL('./unit-worker.js', import.meta.url), { workerData: layout })
        waiting.push([])
        busy.push(0)
        worker.on('message', (result: UnitResult) => {
          busy[i]--
          waiting[i].shift()?.({ parser: i, result })
        })
        worker.on('error', (error) => failed?.(error))
        workers.push(worker)
      }
      return {
        width: threads * 2,
        run(job: UnitJob) {
          const least = busy.indexOf(Math.min(...busy))
          busy[least]++
          workers[least].postMessage(job, job.buffer ? [job.bytes.buffer, job.buffer] : [job.bytes.buffer])
          return Promise.race([new Promise<{ parser: number; result: UnitResult }>((done) => waiting[least].push(done)), failure])
        },
      }
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
