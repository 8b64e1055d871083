/** Worker threads that each answer one question at a time. */
import { Worker } from 'node:worker_threads'
import type { Answer, Question, WorkerStart } from './worker.ts'

/** Asks until there is no question left: `next` is asked when a worker is free, `done` has its answer. */
export async function askAll(
  size: number,
  start: WorkerStart,
  next: () => Question | undefined,
  done: (question: Question, answer: Answer) => void,
): Promise<void> {
  const workers = Array.from({ length: size }, () => new Worker(new URL('./worker.js', import.meta.url), { workerData: start }))
  const work = async (worker: Worker): Promise<void> => {
    for (let question = next(); question; question = next()) done(question, await ask(worker, question))
  }
  try {
    await Promise.all(workers.map(work))
  } finally {
    for (const worker of workers) void worker.terminate()
  }
}

function ask(worker: Worker, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(error)
    worker.once('error', fail)
    worker.once('message', (answer: Answer) => {
      worker.removeListener('error', fail)
      if (answer.error === undefined) resolve(answer)
      else reject(new Error(answer.error))
    })
    worker.postMessage(question)
  })
}
