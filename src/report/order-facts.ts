/** What `order` reports: the answers, and what they were got with. */
import type { CutAnswer } from '../order/answer.ts'
import type { Knowledge } from '../order/knowledge.ts'
import type { Evidence, Trace } from './evidence.ts'

/** A cut's answer, and a second one where what all changes together introduce is allowed. */
export interface Answers {
  readonly strict: CutAnswer<Evidence>
  readonly allowing?: CutAnswer<Evidence>
}

export interface OrderFacts {
  readonly from: string
  readonly to?: string
  readonly scenarios: number
  /** Searches made in this run; the others were kept from earlier ones. */
  readonly searches: number
  readonly states: number
  readonly seconds: number
  /** Of what the smallest unsafe sets break. */
  readonly traces: ReadonlyMap<string, Trace>
  /** What the searches tell of every set. */
  readonly knowledge: Knowledge
}
