/** What the compiler says about a model that it does not accept. */

export interface Diagnostic {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly endColumn: number
  /** The source line. */
  readonly source: string
  /** What is wrong. */
  readonly message: string
  /** What to write instead. */
  readonly instead: string
}

/** Thrown by `compile`: every mistake found, in file order. */
export class ModelError extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n\n'))
    this.name = 'ModelError'
    this.diagnostics = diagnostics
  }
}

/** One diagnostic as text: place, message, code frame, advice. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, endColumn, source, message, instead } = diagnostic
  const number = String(line)
  const marker = ' '.repeat(column - 1) + '^'.repeat(Math.max(1, Math.min(endColumn, source.length + 1) - column))
  const frame = source === '' ? '' : `\n  ${number} | ${source}\n  ${' '.repeat(number.length)} | ${marker}`
  return `${file}:${line}:${column}: ${message}${frame}${instead === '' ? '' : `\n  write instead: ${instead}`}`
}
