/** A thread that has the model, and answers what it says of functions: see `kept-books.ts`. */
import { type MessagePort, workerData } from 'node:worker_threads'
import type { BookAnswer, BookQuestion } from './kept-books.ts'
import { bookPages } from './role-books.ts'

const { port, flag } = workerData as { readonly port: MessagePort; readonly flag: Int32Array }
port.on('message', ({ kernel, asked }: BookQuestion) => {
  let answer: BookAnswer
  try {
    answer = { pages: bookPages(kernel, asked) }
  } catch (error) {
    answer = { error: (error as Error).message }
  }
  port.postMessage(answer)
  Atomics.store(flag, 0, 1)
  Atomics.notify(flag, 0)
})
