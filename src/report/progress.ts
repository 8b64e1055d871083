/** One line on a terminal that shows how a search comes on. */
import type { Progress } from '../engine/verdict.ts'
import { grouped } from './wrap.ts'

/** What is needed of `process.stderr`. */
export interface TerminalStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressLine {
  update(progress: Progress): void
  /** Takes the line away; call it before anything else is printed. */
  clear(): void
}

/** Oftener than this the eye sees only flicker. */
const SECONDS_BETWEEN = 0.1
const CLEAR = '\r\u001b[K'

/** Makes the updating line. A stream that is not a terminal gets nothing at all: logs stay clean. */
export function progressLine(stream: TerminalStream, label = ''): ProgressLine {
  if (!stream.isTTY) return { update: () => {}, clear: () => {} }
  let shown: Progress | undefined
  return {
    update(progress) {
      if (shown && progress.seconds - shown.seconds < SECONDS_BETWEEN) return
      const text = `${label}${label ? ': ' : ''}${progressText(progress, shown)}`
      shown = progress
      // A line as wide as the terminal would wrap, and then could not be taken back.
      stream.write(CLEAR + text.slice(0, (stream.columns ?? 80) - 1))
    },
    clear() {
      if (shown) stream.write(CLEAR)
      shown = undefined
    },
  }
}

/** `1,204,332 states, 412,000/s, depth 48, frontier 20,114, 310 MB, 3.2 s`. The rate is that since `before`, if given. */
export function progressText(progress: Progress, before?: Progress): string {
  const { states, depth, frontier, bytes, seconds } = progress
  const time = seconds - (before?.seconds ?? 0)
  const rate = time > 0 ? (states - (before?.states ?? 0)) / time : 0
  return [`${grouped(states)} states`, `${grouped(rate)}/s`, `depth ${depth}`, `frontier ${grouped(frontier)}`, memoryText(bytes), timeText(seconds)].join(', ')
}

function memoryText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`
}

function timeText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
