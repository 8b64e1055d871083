/** The memory that generated code works on: where sources are put, where successors and findings come out. Addresses count words. */
import type { Program } from '../ir/program.ts'
import type { Layout } from './layout.ts'

export interface Workspace {
  /** Counts paths that a fatal check ended. */
  readonly fatal: number
  /** Counts hung sources (no transition, some thread not ended); their numbers follow. */
  readonly hung: number
  /** Not 0 once a check failed since this was last set to 0. */
  readonly alarm: number
  /** If asked for, by thread: where its nodes have a word each, not 0 once the node was executed. */
  readonly taken?: readonly number[]
  /** One word a check: not 0 once it failed. */
  readonly violated: number
  /** One word a `sometimes`: not 0 once it was true. */
  readonly sometimes: number
  /** One word an input: not 0 once it was read. */
  readonly inputs: number
  readonly source: number
  /** Successor records: the state, its hash, and `thread << 2 | flags`. */
  readonly out: number
  /** Most sources that one call may be given. */
  readonly batch: number
  readonly record: number
  /** Most successors of a state. */
  readonly fanOut: number
  readonly words: number
}

/** Flags of a successor record. */
export const PROGRESS = 1
export const FAILED = 2
/** Low bits of a record's last word that are not its thread. */
export const FLAG_BITS = 2

/** Room for successors of one batch, unless a single state needs more. */
const OUT_WORDS = 1 << 14
const LARGEST_BATCH = 256

/** Lays out a workspace; `fanOut` is the largest number of successors of a state, `coverage` asks for `taken`. */
export function planWorkspace(program: Program, layout: Layout, fanOut: number, coverage = false): Workspace {
  const record = layout.words + 2
  const batch = Math.max(1, Math.min(LARGEST_BATCH, Math.floor(OUT_WORDS / (record * Math.max(fanOut, 1)))))
  const violated = 8
  const sometimes = violated + program.checks.length
  const hung = sometimes + program.properties.sometimes.length
  const inputs = hung + 1 + batch
  const source = inputs + (program.inputs?.length ?? 0)
  const out = source + batch * layout.words
  let words = out + batch * Math.max(fanOut, 1) * record
  const place = (size: number): number => {
    words += size
    return words - size
  }
  const taken = coverage ? program.threads.map((thread) => place(thread.nodes.length)) : undefined
  return { fatal: 0, alarm: 1, ...(taken ? { taken } : {}), violated, sometimes, hung, inputs, source, out, batch, record, fanOut, words }
}
