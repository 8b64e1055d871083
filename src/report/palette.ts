/** The few colours of the terminal reports, by meaning. */
import picocolors from 'picocolors'

export type Paint = (text: string) => string

export interface Palette {
  /** What failed. */
  readonly bad: Paint
  readonly good: Paint
  readonly doubtful: Paint
  /** Names of things: threads, functions. */
  readonly name: Paint
  /** What changed. */
  readonly change: Paint
  /** What may be skipped in reading. */
  readonly faint: Paint
  readonly plain: Paint
}

/** Paints with ANSI colours, or not at all: colour is the caller's decision, never the environment's. */
export function palette(colour: boolean): Palette {
  const c = picocolors.createColors(colour)
  return {
    bad: (text) => c.bold(c.red(text)),
    good: c.green,
    doubtful: c.yellow,
    name: c.bold,
    change: c.cyan,
    faint: c.dim,
    plain: (text) => text,
  }
}
