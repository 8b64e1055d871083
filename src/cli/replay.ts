/** `putpage replay`: steps a saved counterexample again, on the model as it is now. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { atGrain } from '../engine/grain.ts'
import type { Exploration } from '../engine/verdict.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { renderCounterexample } from '../report/lanes.ts'
import { replaySaved } from '../report/replay.ts'
import { parseSaved } from '../report/saved.ts'
import { Failure } from './failure.ts'
import { compileFor, select } from './models.ts'
import { outputColour, outputWidth } from './terminal.ts'

export function addReplay(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('replay')
    .description('step a saved counterexample again; fails clearly if the model has changed')
    .argument('<file>', 'written by `putpage check --save`')
    .addHelpText('after', '\nExample:\n  putpage check gup-of-mapped-dax --kernel v5.15+seed --save 413.json\n  putpage replay 413.json')
    .action((file: string) => {
      finish(replay(file))
    })
}

function replay(file: string): ExitCode {
  const parsed = parseSaved(readText(file))
  if (!parsed.ok) throw new Failure(`${file}: ${parsed.error}`)
  const saved = parsed.value
  const { model, scenarios } = select([saved.scenario])
  const changes = {
    with: saved.changes.filter((change) => change.startsWith('+')).map((change) => change.slice(1)),
    without: saved.changes.filter((change) => change.startsWith('-')).map((change) => change.slice(1)),
  }
  const compiled = compileFor(model, scenarios[0], saved.kernel === 'none' ? undefined : saved.kernel, changes)
  const program = atGrain(compiled, saved.grain)
  const replayed = replaySaved(saved, program)
  if (!replayed.ok) throw new Failure(`${file}: ${replayed.error}`)
  const counterexample = replayed.value
  const exploration: Exploration = {
    program,
    verdict: 'violation',
    grain: saved.grain,
    complete: false,
    fingerprint: false,
    states: counterexample.steps.length + 1,
    transitions: counterexample.steps.length,
    depth: counterexample.steps.length,
    seconds: 0,
    peakBytes: 0,
    checks: [],
    sometimes: [],
  }
  process.stdout.write(
    `${renderCounterexample({ exploration }, { check: counterexample.check, outcome: 'violation', counterexample }, { colour: outputColour(), width: outputWidth(), command: `putpage replay ${file}` })}\n`,
  )
  return 1
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(`cannot read ${file}: ${(error as Error).message}`)
  }
}
