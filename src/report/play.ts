/**
 * What the player needs to show a run and go on from any of its states: format `putpage-play/1`, described in docs/formats.md. It holds the program
 * itself, so that whoever reads it needs neither the model nor a checker.
 */
import type { Column, Program } from '../ir/program.ts'
import { boundsLine } from './bounds.ts'
import { failuresOf, type Run } from './run.ts'
import { stableId } from './stable-id.ts'
import { type Shown, shownValue, threadNames } from './values.ts'

export const PLAY_FORMAT = 'putpage-play/1'

export interface PlayDocument {
  readonly format: typeof PLAY_FORMAT
  readonly runs: readonly PlayRun[]
  /** By path, as positions of the programs name it. */
  readonly sources: Readonly<Record<string, string>>
  /** Runs without a program: what could not be taken along, and all that passed. */
  readonly others: readonly RunSummary[]
  /** A sentence, if something was left out. */
  readonly leftOut?: string
}

/** The verdict of a run in a line. */
export interface RunSummary {
  readonly scenario: string
  readonly about: string
  readonly kernel: string
  readonly changes: readonly string[]
  readonly grain: 'lock' | 'access'
  readonly verdict: 'pass' | 'violation' | 'vacuous' | 'inconclusive'
  readonly bounds: string
  readonly states: number
  readonly transitions: number
  readonly depth: number
  readonly seconds: number
  readonly limit?: string
  /** Kinds of the failed checks, worst first. */
  readonly kinds: readonly string[]
  /** Names of what should have happened and never did. */
  readonly never: readonly string[]
  /** Steps of the shortest trace of the worst failure. */
  readonly steps?: number
}

export interface PlayRun extends RunSummary {
  readonly program: Program
  /** Fields that no thread touches, as the set-up leaves them: a page's type. */
  readonly standing: readonly Standing[]
  /** By page type: the count at which a page is free; absent where the model does not tell. */
  readonly freeAt: Readonly<Record<string, number>>
  readonly failures: readonly PlayFailure[]
  readonly command: string
}

/** A field with its value, for people. */
export interface Standing {
  readonly struct: string
  readonly field: string
  readonly cell: string
  readonly value: Shown
}

/** A failed check and the way to it. */
export interface PlayFailure {
  readonly id: string
  /** Index into `program.checks`. */
  readonly check: number
  readonly cycleFrom?: number
  /** Thread (index), then the values of its choices. */
  readonly steps: readonly (readonly number[])[]
}

/** The line of a run. */
export function summaryOf(run: Run): RunSummary {
  const { program, grain, verdict, states, transitions, depth, seconds, limit, sometimes } = run.exploration
  const failures = failuresOf(run)
  return {
    scenario: program.scenario,
    about: program.about,
    kernel: program.kernel,
    changes: program.changes,
    grain,
    verdict,
    bounds: boundsLine(run),
    states,
    transitions,
    depth,
    seconds,
    ...(limit === undefined ? {} : { limit }),
    kinds: failures.map(({ check }) => check.kind),
    never: sometimes.filter(({ reached, exempt }) => !reached && exempt === undefined).map(({ name }) => name),
    ...(failures.length > 0 ? { steps: failures[0].counterexample.steps.length } : {}),
  }
}

/** What a run needs beside the search's result. */
export interface PlayFacts {
  /** Every field of the model the compilation knew: `Model.columns`. */
  readonly columns: readonly Column[]
  /** The program as compiled, before a grain was chosen. */
  readonly compiled: Program
  readonly freeAt: Readonly<Record<string, number>>
  readonly command: string
}

/** A run with its program and the ways to its failures. */
export function playRun(run: Run, { columns, compiled, freeAt, command }: PlayFacts): PlayRun {
  const { program } = run.exploration
  const { scenario, kernel, changes } = program
  return {
    ...summaryOf(run),
    program,
    standing: standing(columns, compiled),
    freeAt,
    failures: failuresOf(run).map(({ check, verdict, counterexample }) => ({
      id: stableId({ scenario, kernel, changes, check: check.id }),
      check: verdict.check,
      ...(counterexample.cycleFrom === undefined ? {} : { cycleFrom: counterexample.cycleFrom }),
      steps: counterexample.steps.map(({ transition }) => [transition.thread, ...transition.choices]),
    })),
    command,
  }
}

/** Fields that are in no step of the program: nobody changes them. */
function standing(columns: readonly Column[], compiled: Program): Standing[] {
  const touched = new Set(compiled.columns.flatMap(({ cells }) => cells))
  const threads = threadNames(compiled)
  return columns.flatMap(({ struct, field, cells, init, display, ghost }) =>
    ghost || struct === 'Injected'
      ? []
      : cells.flatMap((cell, i) => (touched.has(cell) ? [] : [{ struct, field, cell, value: shownValue(display, init[i], threads) }])),
  )
}

/** The model files that a program's steps and properties are in. */
export function filesOf(program: Program): string[] {
  const files = new Set<string>()
  for (const thread of program.threads) {
    for (const { at } of thread.nodes) {
      files.add(at.file)
      for (const { file } of at.stack) files.add(file)
    }
  }
  return [...files].sort()
}
