/** What is known when a trace has been read: what findings are made from. */
import type { Ledger } from './ledger.ts'
import type { TrackedPage } from './page-table.ts'
import type { TraceTables } from './source.ts'

/** Everything a verdict needs of the trace as a whole. */
export interface EndOfTrace {
  readonly ledger: Ledger
  readonly tables: TraceTables
  /** First and last time stamp of any event. */
  readonly first: number
  readonly last: number
  /**
   * When the recorder stopped, if what it wrote until then is all in the file: nothing happened between `last` and this. `untold`: the format has no
   * word for it (a text that is whole); undefined: the file does not say, or is not whole.
   */
  readonly stopped: number | 'untold' | undefined
  /** Until when all that happened is known: what was not given back later may have been, unseen. */
  readonly known: number
  readonly release: string | undefined
  /** The device pages that had events. */
  readonly pages: readonly TrackedPage[]
  readonly free: (page: TrackedPage) => 0 | 1
  readonly isDevice: (page: TrackedPage) => boolean
  /** Whether at that time events may be missing, or in an order that cannot be told: then no count is called wrong. */
  readonly doubtful: (time: number) => boolean
}
