/** Mistakes of the person at the keyboard, and what the process exits with. */
import type { ExitCode } from '../report/exit-code.ts'

/** A mistake with a message that says what to do; never a stack trace. */
export class Failure extends Error {
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}
