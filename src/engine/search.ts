/** The breadth-first search, in this thread. */
import type { Program } from '../ir/program.ts'
import { Findings } from './findings.ts'
import { FingerprintStore } from './fingerprint-store.ts'
import { putInitial } from './initial.ts'
import type { Limits } from './limits.ts'
import { type Code, Runner } from './runner.ts'
import { SearchMemory } from './search-memory.ts'
import { OUT_OF_MEMORY, StateStore, type Store, takeIn } from './store.ts'
import type { StoredStates } from './stored-states.ts'
import type { Progress } from './verdict.ts'

/** A finished search, or one that came to a limit. */
export interface Searched {
  readonly code: Code
  /** One a partition; none if only fingerprints were kept. */
  readonly stores: readonly StoredStates[]
  /** `levels[l][p]`: number of the first state of level l in partition p. One entry more than there are levels. */
  readonly levels: readonly (readonly number[])[]
  readonly findings: Findings
  readonly states: number
  readonly transitions: number
  /** Paths ended by fatal checks. */
  readonly ended: number
  /** Edges to an earlier or the same level without progress or injected failure: without any there is no livelock. */
  readonly retreating: number
  readonly limit?: string
  readonly peakBytes: number
  /** One entry an input of the program: whether a thread read it in any state found. Not known of a search by several workers. */
  readonly inputsRead?: readonly boolean[]
  /** By thread and node: 1 if the node was executed; only where the code notes it. */
  readonly taken?: readonly Uint8Array[]
}

export interface SearchOptions {
  readonly limits: Limits
  readonly onProgress?: (progress: Progress) => void
  /** Gives up when a race is found: the search will be made again at another grain. */
  readonly stopAtRace: boolean
  /** Gives up when what was found up to a level says enough. */
  readonly enough?: (findings: Findings) => boolean
  /** Keeps only hashes of states. */
  readonly fingerprint?: boolean
  /** Expands no level after this one. */
  readonly lastLevel?: number
  /** Gives up, when more states than this were found. */
  readonly outgrowAt?: number
}

/** How often, in milliseconds, the search reports. */
const REPORT_EVERY = 200

/** Searches all states by levels. Null if the search outgrew `outgrowAt`. */
export async function search(program: Program, code: Code, options: SearchOptions): Promise<Searched | null> {
  const { limits } = options
  const { layout } = code
  const memory = SearchMemory.ofSize(code.workspace.words)
  const runner = new Runner(code, memory)
  const { workspace } = runner
  const exact = options.fingerprint ? undefined : new StateStore(memory, workspace.words, layout.words, code.store)
  const store: Store = exact ?? new FingerprintStore(memory, layout.words)
  const findings = new Findings(program)
  const levels: number[][] = [[0]]
  let transitions = 0
  let peak = 0
  let limit: string | undefined
  let nextReport = performance.now() + REPORT_EVERY

  putInitial(program, runner)
  store.insert(workspace.out, workspace.out + workspace.record, 0)

  for (let level = 0, from = 0; from < store.count && limit === undefined; level++) {
    const to = store.count
    levels.push([to])
    while (from < to) {
      const count = Math.min(workspace.batch, to - from)
      store.copy(from, count, runner.memory, workspace.source)
      const end = runner.run(count)
      if (runner.hungCount > 0) findings.noteHangs(runner)
      transitions += (end - workspace.out) / workspace.record
      if (!takeIn(store, workspace.out, end, to)) {
        limit = OUT_OF_MEMORY
        break
      }
      from += count
      if (options.outgrowAt !== undefined && store.count > options.outgrowAt) return null
      limit = limits.reached(store.count, store.bytesWith(workspace.batch * workspace.fanOut))
      if (store.bytes > peak) peak = store.bytes
      if (limit !== undefined) break
      const now = performance.now()
      if (now >= nextReport && options.onProgress) {
        nextReport = now + REPORT_EVERY
        options.onProgress({
          states: store.count,
          transitions: transitions + runner.fatal,
          depth: level + 1,
          frontier: store.count - from,
          bytes: store.bytes,
          seconds: limits.seconds,
        })
      }
      await limits.breathe()
    }
    store.release(to)
    findings.closeLevel(level, runner)
    if ((options.stopAtRace && findings.raced) || level === options.lastLevel || options.enough?.(findings)) break
  }
  const ended = runner.fatal
  return {
    code,
    stores: exact ? [exact] : [],
    levels,
    findings,
    states: store.count,
    transitions: transitions + ended,
    ended,
    retreating: store.retreating,
    limit,
    peakBytes: peak,
    inputsRead: (program.inputs ?? []).map((_, i) => runner.inputRead(i)),
    taken: runner.taken,
  }
}
