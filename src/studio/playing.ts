/** Makes what the player shows of runs: compiles again for what a search result does not carry, and takes the sources along. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { packageRoot } from '../cli/files.ts'
import { rulesOf } from '../cli/model-rules.ts'
import { compileFor, type Selection } from '../cli/models.ts'
import { atGrain } from '../engine/grain.ts'
import type { Column } from '../ir/program.ts'
import { type PlayRun, playRun } from '../report/play.ts'
import type { Run } from '../report/run.ts'
import type { DeviceType } from '../trace/life.ts'
import { DEVICE_TYPES } from '../trace/ranges.ts'

/** One run with its program. `command` shows it again. */
export function playable(selection: Selection, run: Run, command: string): PlayRun {
  const { program } = run.exploration
  const scenario = selection.scenarios.find(({ name }) => name === program.scenario)
  if (!scenario) throw new Error(`[putpage internal bug] ${program.scenario} was not selected`)
  const named = (sign: string): string[] => program.changes.filter((change) => change.startsWith(sign)).map((change) => change.slice(1))
  const compiled = compileFor(selection.model, scenario, program.kernel === 'none' ? undefined : program.kernel, { with: named('+'), without: named('-') })
  // A run that passed in a worker came back without its graphs.
  const light = program.threads.every(({ nodes }) => nodes.length === 0)
  const whole = light ? { ...run, exploration: { ...run.exploration, program: atGrain(compiled, run.exploration.grain) } } : run
  return playRun(whole, {
    columns: selection.model.columns(),
    compiled,
    freeAt: freeCounts(program.kernel, program.changes, selection.model.columns()),
    command,
  })
}

/** The types of the pages in a scenario: they do not change while it runs. */
function typesOf(columns: readonly Column[]): DeviceType[] {
  const names = columns.flatMap(({ struct, field, display, init }) =>
    struct === 'Page' && field === 'type' && display.kind === 'enum' ? init.map((value) => display.members[value]) : [],
  )
  return DEVICE_TYPES.filter((type) => names.includes(type))
}

/** With switches the model is not asked: the ledger still tells who holds a page. */
function freeCounts(kernel: string, changes: readonly string[], columns: readonly Column[]): Readonly<Record<string, number>> {
  if (changes.length > 0 || kernel === 'none') return {}
  const rules = rulesOf(kernel)
  return Object.fromEntries(
    typesOf(columns).flatMap((type) => {
      const count = rules.freeAt(type)
      return count === undefined ? [] : [[type, count]]
    }),
  )
}

/** The text of model files. */
export function sourcesOf(files: Iterable<string>): Record<string, string> {
  return Object.fromEntries(
    [...new Set(files)].sort().flatMap((file) => {
      try {
        return [[file, readFileSync(isAbsolute(file) ? file : join(packageRoot(), file), 'utf8')]]
      } catch {
        return []
      }
    }),
  )
}
