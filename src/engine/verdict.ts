/** What a search says: one verdict a check, with its shortest counterexample, and the bounds within which it holds. */
import type { Transition } from '../ir/interpreter.ts'
import type { CheckId, Program } from '../ir/program.ts'

export type Grain = 'lock' | 'access'

/** One step of a counterexample. `to` of the transition is null only in the last step, when a fatal check ended the path. */
export interface Step {
  readonly from: Int32Array
  readonly transition: Transition
}

/** A shortest path to a failed check. */
export interface Counterexample {
  readonly check: CheckId
  readonly steps: readonly Step[]
  /** For a livelock: the path repeats from this step for ever. */
  readonly cycleFrom?: number
  /** For a hang: what each thread that has not ended waits for. */
  readonly waiting?: readonly Waiting[]
}

export interface Waiting {
  readonly thread: number
  /** As the guard calls it: `spin_lock(mm.ptl)`. */
  readonly what: string
  /** The thread that would have to move first, if it is known. */
  readonly on?: number
  /** The thread sleeps on a wait queue, and whether what it waits for holds. */
  readonly condition?: boolean
}

export interface CheckVerdict {
  readonly check: CheckId
  /** `masked`: did not fail, but another check ended paths on which it might have. */
  readonly outcome: 'pass' | 'violation' | 'masked' | 'inconclusive'
  readonly counterexample?: Counterexample
}

export interface Exploration {
  /** The program searched, at the grain searched (fused at grain `lock`): its nodes are the ones counterexamples name. */
  readonly program: Program
  readonly verdict: 'pass' | 'violation' | 'vacuous' | 'inconclusive'
  readonly grain: Grain
  /** The whole space was explored. */
  readonly complete: boolean
  /** Why it was not: `--max-states 1000 reached`. */
  readonly limit?: string
  /** 64-bit hashes stood for states: a pass is not exact. */
  readonly fingerprint: boolean
  readonly states: number
  readonly transitions: number
  /** Number of breadth-first levels. */
  readonly depth: number
  readonly seconds: number
  /** Bytes held by the state store and frontiers at their largest. */
  readonly peakBytes: number
  /** One entry a check of the program, in order. */
  readonly checks: readonly CheckVerdict[]
  /** By thread and node of the program: 1 if the node was executed. Only if `coverage` was asked for. */
  readonly taken?: readonly Uint8Array[]
  readonly sometimes: readonly { readonly name: string; readonly reached: boolean; readonly exempt?: string }[]
}

export interface ExploreOptions {
  /** `lock` (default) fuses accesses under a verified lock; falls back to `access` when the discipline is broken. */
  readonly grain?: Grain
  /** Worker threads; default all cores. The result does not depend on it. */
  readonly jobs?: number
  readonly maxStates?: number
  /** Bytes for store and frontiers. */
  readonly maxMemory?: number
  /** Seconds. */
  readonly timeout?: number
  readonly fingerprint?: boolean
  /** Note which nodes are executed; nodes then keep the numbers they have in the compiled program. */
  readonly coverage?: boolean
  /** Build counterexamples (default true); without them a failed check has none. */
  readonly traces?: boolean
  /** Look for livelocks (default true). */
  readonly livelock?: boolean
  /** Zero dead locals (default true); false is for tests only. */
  readonly zeroDeadLocals?: boolean
  /** `js` or `wasm`: what the generated code is. */
  readonly backend?: 'js' | 'wasm' | 'interpreter'
  /** Stops the search; the result is then inconclusive, `interrupted`. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly frontier: number
  readonly bytes: number
  readonly seconds: number
}
