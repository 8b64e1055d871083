/** A path in Apalache's Informal Trace Format: JSON that its viewers and test drivers read (Apalache ADR 015). */
import type { Program } from '../ir/program.ts'
import { vectorShape } from '../ir/state.ts'
import { cellsOf, exportedValue, standingAt, uniqueThreadNames } from './values.ts'

export interface ItfPath {
  /** State vectors, the first one included. */
  readonly states: readonly Int32Array[]
  /** `steps[i]` leads out of `states[i]`. One more than there are states after the first, if a fatal check ended the path. */
  readonly steps: readonly string[]
  /** For a livelock: the state to which the last one returns. */
  readonly loop?: number
  /** What the path shows. */
  readonly description?: string
}

type ItfValue = string | boolean | { readonly '#bigint': string }

/** The format's own shape; `JSON.stringify` makes the file of it. */
export interface ItfTrace {
  readonly '#meta': Readonly<Record<string, string>>
  readonly vars: readonly string[]
  readonly states: readonly Readonly<Record<string, ItfValue | Readonly<Record<string, string | number>>>>[]
  readonly loop?: number
}

/**
 * Gives a path as an ITF trace. A variable is a cell, by its name, or `thread <name>`, which says where the thread stands.
 * Each state's `#meta` has its index and the step that led to it.
 */
export function toItf(program: Program, path: ItfPath): ItfTrace {
  const cells = cellsOf(program)
  const { threadBase } = vectorShape(program)
  const threads = uniqueThreadNames(program).map((name) => `thread ${name}`)
  const states = path.states.map((state, index) => ({
    '#meta': { index, ...(index > 0 ? { step: path.steps[index - 1] } : {}) },
    ...Object.fromEntries(cells.map(({ name, column }, i) => [name, itfValue(exportedValue(program, column.display, state[i]))])),
    ...Object.fromEntries(threads.map((name, t) => [name, standingAt(program, t, state[threadBase[t]])])),
  }))
  const lastStep = path.steps[path.states.length - 1]
  return {
    '#meta': {
      format: 'ITF',
      'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
      source: `${program.scenario} on ${[program.kernel, ...program.changes].join(' ')}`,
      description: path.description ?? program.about,
      ...(lastStep === undefined ? {} : { 'last-step': lastStep }),
    },
    vars: [...cells.map(({ name }) => name), ...threads],
    states,
    ...(path.loop === undefined ? {} : { loop: path.loop }),
  }
}

/** The format wants every integer, small ones too, as `#bigint`. */
function itfValue(value: number | boolean | string): ItfValue {
  return typeof value === 'number' ? { '#bigint': String(value) } : value
}
