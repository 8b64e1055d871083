/** What the output may look like. */

/** Colour only on a terminal, and never where NO_COLOR asks for none. */
export function outputColour(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb'
}

/** Columns to fill: at most 100, so that a trace can be pasted into a mail. */
export function outputWidth(): number {
  return Math.max(60, Math.min(100, process.stdout.columns ?? 100))
}
