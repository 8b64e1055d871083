/** The file in which a counterexample is kept: `putpage-counterexample/1`, described in docs/formats.md. */
import type { CheckVerdict, Grain } from '../engine/verdict.ts'
import type { Run } from './run.ts'
import { stableId } from './stable-id.ts'
import { threadNames } from './values.ts'

export const COUNTEREXAMPLE_FORMAT = 'putpage-counterexample/1'

export interface SavedCounterexample {
  readonly format: typeof COUNTEREXAMPLE_FORMAT
  readonly id: string
  /** `Program.hash`. */
  readonly program: string
  readonly scenario: string
  readonly kernel: string
  readonly changes: readonly string[]
  readonly grain: Grain
  /** `Check.id`. */
  readonly check: string
  /** Index of the step from which a livelock repeats. */
  readonly cycleFrom?: number
  readonly steps: readonly { readonly thread: string; readonly choices: readonly number[] }[]
}

/** A value, or a sentence that says what is wrong with the input. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string }

/** Makes the file's content of a failed check; undefined if it has no counterexample. */
export function saveCounterexample(run: Run, verdict: CheckVerdict): SavedCounterexample | undefined {
  const { program, grain } = run.exploration
  const { counterexample } = verdict
  if (!counterexample) return undefined
  const { scenario, kernel, changes } = program
  const check = program.checks[verdict.check].id
  const names = threadNames(program)
  return {
    format: COUNTEREXAMPLE_FORMAT,
    id: stableId({ scenario, kernel, changes, check }),
    program: program.hash,
    scenario,
    kernel,
    changes,
    grain,
    check,
    ...(counterexample.cycleFrom === undefined ? {} : { cycleFrom: counterexample.cycleFrom }),
    steps: counterexample.steps.map(({ transition }) => ({ thread: names[transition.thread], choices: transition.choices })),
  }
}

/** The text of the file: one step a line, so that two of them can be compared with diff. */
export function formatSaved(saved: SavedCounterexample): string {
  const { steps, ...head } = saved
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},`)
  const body = steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n')
  return `{\n${lines.join('\n')}\n  "steps": [${body ? `\n${body}\n  ` : ''}]\n}\n`
}

/** Reads the file. Every error names the field, what was found and what is expected. */
export function parseSaved(text: string): Parsed<SavedCounterexample> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return fail(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isRecord(json)) return fail(`expected an object, found ${kindOf(json)}`)
  if (json.format !== COUNTEREXAMPLE_FORMAT) return fail(`expected "format": "${COUNTEREXAMPLE_FORMAT}", found ${JSON.stringify(json.format) ?? 'none'}`)
  const { id, program, scenario, kernel, changes, grain, check, cycleFrom, steps } = json
  for (const [name, value] of Object.entries({ id, program, scenario, kernel, check })) {
    if (typeof value !== 'string' || value === '') return fail(`"${name}": expected a text, found ${kindOf(value)}`)
  }
  if (!isList(changes, isString)) return fail('"changes": expected a list of texts')
  if (grain !== 'lock' && grain !== 'access') return fail(`"grain": expected "lock" or "access", found ${JSON.stringify(grain) ?? 'none'}`)
  if (!Array.isArray(steps)) return fail(`"steps": expected a list, found ${kindOf(steps)}`)
  const read: { thread: string; choices: number[] }[] = []
  for (const [i, step] of steps.entries()) {
    if (!isRecord(step)) return fail(`"steps"[${i}]: expected an object, found ${kindOf(step)}`)
    if (!isString(step.thread)) return fail(`"steps"[${i}].thread: expected the thread's name, found ${kindOf(step.thread)}`)
    if (!isList(step.choices, isNatural)) return fail(`"steps"[${i}].choices: expected a list of whole numbers, found ${kindOf(step.choices)}`)
    read.push({ thread: step.thread, choices: step.choices })
  }
  if (cycleFrom !== undefined && (!isNatural(cycleFrom) || cycleFrom >= read.length)) {
    return fail(`"cycleFrom": expected the index of a step (0 to ${read.length - 1}), found ${JSON.stringify(cycleFrom)}`)
  }
  return {
    ok: true,
    value: {
      format: COUNTEREXAMPLE_FORMAT,
      id: String(id),
      program: String(program),
      scenario: String(scenario),
      kernel: String(kernel),
      changes,
      grain,
      check: String(check),
      ...(cycleFrom === undefined ? {} : { cycleFrom }),
      steps: read,
    },
  }
}

function fail(why: string): { ok: false; error: string } {
  return { ok: false, error: `not a saved counterexample: ${why}` }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNatural(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}

function isList<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(is)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : value === '' ? 'an empty text' : `a ${typeof value}`
}
