/** Worker threads that each answer one question at a time. */
import { Worker } from 'node:worker_threads'
import type { Answer, Question, WorkerStart } from './worker.ts'

export class Pool {
  private readonly workers: Worker[]
  private readonly heard: (answer: Answer) => void

  /** `heard` is told every answer. */
  constructor(size: number, start: WorkerStart, heard: (answer: Answer) => void) {
    this.workers = Array.from({ length: size }, () => new Worker(new URL('./worker.js', import.meta.url), { workerData: start }))
    this.heard = heard
  }

  /** Asks everybody the same. */
  async tell(question: Question): Promise<void> {
    await Promise.all(this.workers.map((worker) => this.ask(worker, question)))
  }

  /** Works through a list: `question` is made when a worker is free, `done` has its answer. False from `go` ends it early. */
  async each<T>(list: readonly T[], question: (item: T) => Question, done: (item: T, answer: Answer) => void, go: () => boolean = () => true): Promise<void> {
    let next = 0
    const work = async (worker: Worker): Promise<void> => {
      while (next < list.length && go()) {
        const item = list[next++]
        done(item, await this.ask(worker, question(item)))
      }
    }
    await Promise.all(this.workers.map(work))
  }

  async first(question: Question): Promise<Answer> {
    return this.ask(this.workers[0], question)
  }

  end(): void {
    for (const worker of this.workers) void worker.terminate()
  }

  private ask(worker: Worker, question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(error)
      worker.once('error', fail)
      worker.once('message', (answer: Answer) => {
        worker.removeListener('error', fail)
        this.heard(answer)
        if (answer.error === undefined) resolve(answer)
        else reject(new Error(answer.error))
      })
      worker.postMessage(question)
    })
  }
}
