/**
 * A role automaton: what one call of a function of the kernel may do to one page's count, whatever the state. Made from the IR
 * by `slice.ts`; read by those who hold recordings to the model.
 */

/** A page's count, or a change of it, in the kernel's units: references + 1024 * pins. */
export type KernelCount = number

/** Inclusive; -Infinity and Infinity where there is no bound. */
export type Interval = readonly [KernelCount, KernelCount]

/** On every way, on none, on some. */
export type Certainty = 'yes' | 'no' | 'perhaps'

/** One operation of the model on the page's count. */
export interface Letter {
  /** The tracepoint that reports it: `page_ref_mod`. */
  readonly event: string
  /** What is added, or stored (`page_ref_set`, `page_ref_unfreeze`); undefined: the model leaves it open. */
  readonly value: KernelCount | undefined
  /** Of an operation that may be refused (`page_ref_mod_unless`, `page_ref_freeze`): whether it was done. */
  readonly done: boolean
  /** The counts after it with which the path goes on as it does. */
  readonly results: readonly Interval[]
  /** Functions being executed, outermost (the automaton's own) first: an index of `RoleAutomaton.chains`. */
  readonly chain: number
  /** Whether those who sleep until the page is idle are woken before anything else is done to the count. */
  readonly wakes: Certainty
  /** Whether the driver gets its page back before anything else is done to the count. */
  readonly frees: Certainty
}

export interface Edge {
  /** Index of `RoleAutomaton.letters`. */
  readonly letter: number
  readonly to: number
}

export interface RoleAutomaton {
  /** The function whose calls it describes. */
  readonly entry: string
  /** The page's type: a member of the model's PageType. */
  readonly type: string
  readonly chains: readonly (readonly string[])[]
  readonly letters: readonly Letter[]
  /** Edges of each state; 0 is the start. Nondeterministic. */
  readonly edges: readonly (readonly Edge[])[]
  /** Whether the call may return from the state without a further operation. */
  readonly accepting: readonly boolean[]
}
