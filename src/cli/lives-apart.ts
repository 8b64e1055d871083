/** Lives held to the model in a thread of their own: of a large recording that is a quarter of what the main thread has to do. */
import { Worker } from 'node:worker_threads'
import type { HeldResult, LifeRows } from '../trace/held-lives.ts'
import type { Lives } from '../trace/held-to-model.ts'
import type { Letters } from '../trace/letters.ts'
import type { BreakReason, DeviceType } from '../trace/life.ts'
import { LifeLogWriter, type LifeMessage } from '../trace/life-log.ts'
import type { SiteFrames } from '../trace/source.ts'

/** What the thread is given. */
export interface LivesQuestion {
  readonly kernel: string
  readonly release: string | undefined
  /** How many messages it has read. */
  readonly read: Int32Array
}

export class LivesApart implements Lives {
  private readonly worker: Worker
  private readonly log: LifeLogWriter
  private readonly answer: Promise<HeldResult>
  private held: HeldResult | undefined

  /** The book of the kernel must be one that is kept: the thread reads it for itself. */
  constructor(kernel: string, release: string | undefined) {
    const read = new Int32Array(new SharedArrayBuffer(4))
    this.worker = new Worker(new URL('./held-worker.js', import.meta.url), { workerData: { kernel, release, read } satisfies LivesQuestion })
    this.answer = new Promise((resolve, reject) => {
      this.worker.once('message', resolve)
      this.worker.once('error', reject)
    })
    this.answer.catch(() => {})
    this.log = new LifeLogWriter((message: LifeMessage) => this.worker.postMessage(message), read)
  }

  use(sites: SiteFrames, letters: Letters): void {
    this.log.use(sites, letters)
  }

  see(batch: LifeRows): void {
    this.log.see(batch)
  }

  rest(): void {
    this.log.flush()
  }

  run(index: number, type: DeviceType, batch: LifeRows, rows: Uint32Array, from: number, to: number): void {
    this.log.run(index, type, batch, rows, from, to)
  }

  broken(index: number, why: BreakReason): void {
    this.log.broken(index, why)
  }

  end(): void {
    this.log.flush()
    this.worker.postMessage('end')
  }

  async answered(): Promise<void> {
    this.held = await this.answer
    await this.close()
  }

  result(): HeldResult {
    if (!this.held) throw new Error('[putpage internal bug] a thread was asked before it had answered')
    return this.held
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}
