/** Entry of a worker thread: searches its partition and sends back a view of it. */
import { parentPort, workerData } from 'node:worker_threads'
import { Exchange, type ExchangeBuffers } from './exchange.ts'
import { type PartitionTask, searchPartition } from './partition-search.ts'
import type { StoreImage } from './stored-states.ts'

export interface WorkerTask {
  readonly task: PartitionTask
  readonly buffers: ExchangeBuffers
}

export interface WorkerResult {
  readonly image: StoreImage | undefined
  readonly states: number
  readonly levels: readonly number[]
  readonly transitions: number
  readonly ended: number
  readonly retreating: number
  readonly bytes: number
  readonly taken?: readonly Uint8Array[]
}

if (parentPort) {
  const { task, buffers } = workerData as WorkerTask
  const { store, exact, levels, transitions, ended, taken } = searchPartition(task, new Exchange(buffers))
  const { count: states, retreating, bytes } = store
  const result: WorkerResult = { image: exact?.image(), states, levels, transitions, ended, retreating, bytes, taken }
  parentPort.postMessage(result)
}
