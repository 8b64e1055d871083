/** A thread that holds lives to the model: see `lives-apart.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { HeldLives } from '../trace/held-lives.ts'
import { LifeLogReader, type LifeMessage } from '../trace/life-log.ts'
import { bookOf } from './kept-books.ts'
import type { LivesQuestion } from './lives-apart.ts'

const port = parentPort
if (!port) throw new Error('[putpage internal bug] held-worker.ts is no main program')
const { kernel, release, read } = workerData as LivesQuestion
const lives = new HeldLives(bookOf(kernel), release)
const reader = new LifeLogReader(lives)
let failed: unknown
port.on('message', (message: LifeMessage | 'end') => {
  if (message === 'end') {
    if (failed) throw failed
    lives.end()
    port.postMessage(lives.result())
    return
  }
  // Who writes waits for what is read, whatever becomes of it.
  try {
    if (!failed) reader.take(message)
  } catch (error) {
    failed = error
  } finally {
    Atomics.add(read, 0, 1)
    Atomics.notify(read, 0)
  }
})
