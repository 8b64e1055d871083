/** Steps of the model: what a run says of each. */

/** A statement of the model (or the head of an `if` or loop) that touches shared state or chooses, in one function. */
export interface ModelStep {
  readonly file: string
  readonly line: number
  readonly function: string
  readonly text: string
}

/** A step of one program. */
export interface StepTaken extends ModelStep {
  readonly taken: boolean
  /** Only a failed check leads there. */
  readonly afterFailure: boolean
}
