/** Searches with the interpreter, beside the page. */
import { type SmallResult, searchSmall } from '../../../src/engine/small-search.ts'
import type { Program } from '../../../src/ir/program.ts'

export type SmallAnswer =
  | { readonly kind: 'progress'; readonly states: number; readonly depth: number; readonly seconds: number }
  | { readonly kind: 'done'; readonly result: SmallResult; readonly seconds: number }

/** Some seconds, and less than a hundred megabytes. */
const MOST_STATES = 30_000

self.onmessage = ({ data }: MessageEvent<Program>) => {
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000
  const result = searchSmall(data, {
    maxStates: MOST_STATES,
    onProgress: (states, depth) => {
      self.postMessage({ kind: 'progress', states, depth, seconds: seconds() } satisfies SmallAnswer)
      return true
    },
  })
  self.postMessage({ kind: 'done', result, seconds: seconds() } satisfies SmallAnswer)
}
