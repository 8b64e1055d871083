/** When a search has to stop before its end. */
import { totalmem } from 'node:os'
import type { ExploreOptions } from './verdict.ts'

/** How long, in milliseconds, work may keep the event loop waiting. */
const BREATH_EVERY = 40

export class Limits {
  readonly maxStates: number
  readonly maxMemory: number
  private readonly timeout: number
  private readonly signal: AbortSignal | undefined
  private readonly started = performance.now()
  private nextBreath = performance.now() + BREATH_EVERY

  constructor(options: ExploreOptions) {
    this.maxStates = options.maxStates ?? Infinity
    this.maxMemory = options.maxMemory ?? 0.6 * totalmem()
    this.timeout = options.timeout ?? Infinity
    this.signal = options.signal
  }

  get interrupted(): boolean {
    return this.signal?.aborted ?? false
  }

  get timedOut(): boolean {
    return this.seconds > this.timeout
  }

  /** To be called often in long work: now and then lets the event loop run, so that an interruption can arrive. */
  async breathe(): Promise<void> {
    if (performance.now() < this.nextBreath) return
    await new Promise((resolve) => setImmediate(resolve))
    this.nextBreath = performance.now() + BREATH_EVERY
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000
  }

  /** Why the search must stop now, if it must. */
  reached(states: number, bytes: number): string | undefined {
    if (this.interrupted) return 'interrupted'
    if (states > this.maxStates) return `--max-states ${this.maxStates} reached`
    if (bytes > this.maxMemory) return `--max-memory ${formatBytes(this.maxMemory)} reached`
    if (this.timedOut) return `--timeout ${this.timeout} s reached`
    return undefined
  }
}

function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${Math.ceil(bytes / 1024)} KiB`
}
