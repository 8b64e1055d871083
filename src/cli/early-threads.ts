/**
 * Starts the threads that read a recording, before the rest of the program is loaded: that takes as long as they do. Imports nothing for that
 * reason.
 */
import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'

/** Files with less data than this are read in the main thread: starting others takes longer. */
export const WORTH_THREADS = 3 * 1024 * 1024

let early: Worker[] = []

/** The main thread judges what the others read: so many of them as it can follow. */
export function usualThreads(): number {
  return Math.max(1, Math.min(3, availableParallelism() - 1))
}

export function startWorkers(threads: number): Worker[] {
  return Array.from({ length: threads }, () => new Worker(new URL('./unit-worker.js', import.meta.url)))
}

/** To be called with the words of the command line: if one of them is a large file, it is what will be read. */
export function startEarly(words: readonly string[]): void {
  // A run takes a second or two: compiling functions with all they call into ever larger ones costs more than it gains.
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=300')
  if (['--threads', '--diff', '--help', '-h'].some((word) => words.includes(word))) return
  if (words.some((word) => !word.startsWith('-') && sizeOf(word) >= WORTH_THREADS)) early = startWorkers(usualThreads())
}

/** The threads that were started, once. */
export function takeEarly(): Worker[] {
  const taken = early
  early = []
  return taken
}

/** Ends them if nobody took them. */
export async function endEarly(): Promise<void> {
  await Promise.all(takeEarly().map((worker) => worker.terminate()))
}

function sizeOf(path: string): number {
  try {
    const stat = statSync(path)
    return stat.isFile() ? stat.size : 0
  } catch {
    return 0
  }
}
