/** `putpage check`: every interleaving of scenarios on kernels, and the shortest that goes wrong. */
import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Exploration } from '../engine/verdict.ts'
import { boundsLine } from '../report/bounds.ts'
import { type ExitCode, exitCode } from '../report/exit-code.ts'
import { checkReport } from '../report/json.ts'
import { renderJunit } from '../report/junit.ts'
import { renderCounterexample } from '../report/lanes.ts'
import { failuresOf, type Run } from '../report/run.ts'
import { formatSaved, saveCounterexample } from '../report/saved.ts'
import { renderTable } from '../report/table.ts'
import { wrap } from '../report/wrap.ts'
import { runAll, type Task } from './batch.ts'
import { reproducingCommand } from './command-line.ts'
import { coverageReport, coverageText } from './coverage.ts'
import { Failure } from './failure.ts'
import { kernelsFor, type Selection, select, switchesNamed } from './models.ts'
import { addRandomOptions, type RandomFlags, randomOptions, randomWords } from './random-options.ts'
import { exploreOptions, modelOptions, type SearchFlags, searchOptions } from './search-options.ts'
import { outputColour, outputWidth } from './terminal.ts'

interface CheckFlags extends SearchFlags, RandomFlags {
  readonly json?: boolean
  readonly junit?: string
  readonly html?: string
  readonly save?: string
  readonly deep?: boolean
  readonly all?: boolean
  readonly coverage?: boolean
}

export function addCheck(program: Command, finish: (code: ExitCode) => void): void {
  const command = program
    .command('check')
    .description('try every interleaving of scenarios and print the shortest that goes wrong')
    .argument('[scenario...]', 'names (see `putpage list`) or files; default: all on all kernels')
  addRandomOptions(searchOptions(modelOptions(command)))
    .option('--deep', 'also the scenarios marked deep, which are large')
    .option('--all', 'print every failed check, not only the worst of each kernel')
    .option('--coverage', 'list the steps of the model that were never taken, by kernel')
    .option('--json', 'print the result as JSON (format putpage-check/1)')
    .option('--junit <file>', 'also write a JUnit report')
    .option('--html <file>', 'also write a page in which the counterexamples are played: one file, needs no network')
    .option('--save <file>', 'save the first counterexample for `putpage replay`')
    .addHelpText(
      'after',
      `
Exit code: 0 all passed, 1 a check failed, 2 wrong usage or a model that does not compile, 3 a limit was reached.

Examples:
  putpage check                                        every scenario on every kernel, one table
  putpage check gup-of-mapped-dax                      one scenario on every kernel
  putpage check gup-of-mapped-dax --kernel v5.15+seed  with the counterexample
  putpage check --kernel v6.1 --without f4f451a16dd1   what breaks if this fix is taken out
  putpage check ./my-scenario.ts                       a scenario of your own
  putpage check gup-of-mapped-dax --html report.html   the counterexamples, to be played in a browser
  putpage check --random 10000 --strategy pct --deep   random runs: a failure is a fact, none found is "inconclusive"
  putpage check --coverage                             which steps of the model no search takes`,
    )
    .action(async (names: string[], flags: CheckFlags) => finish(await check(names, flags)))
}

async function check(names: readonly string[], flags: CheckFlags): Promise<ExitCode> {
  const selection = select(names)
  const runs = await searchAll(selection, flags, names)
  if (runs.length === 0) throw new Failure('nothing to check: the scenarios named do not make sense on these kernels (`putpage list` says on which they do)')
  if (flags.junit !== undefined)
    writeFileSync(
      flags.junit,
      renderJunit(
        runs.map(({ run }) => run),
        (run) => commandOf(runs, run, flags),
      ),
    )
  if (flags.html !== undefined) {
    const { checkPage } = await import('../studio/check-page.ts')
    writeFileSync(
      flags.html,
      checkPage(
        selection,
        runs.map(({ run }) => run),
        (run) => commandOf(runs, run, flags),
      ),
    )
  }
  if (flags.save !== undefined)
    save(
      runs.map(({ run }) => run),
      flags.save,
    )
  const wholeModel = !selection.named && flags.kernel.length === 0
  const coverage =
    flags.coverage || flags.random !== undefined
      ? coverageReport(
          selection,
          runs.map(({ run }) => run),
          wholeModel,
        )
      : undefined
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...checkReport(runs.map(({ run }) => run)), ...(coverage ? { coverage } : {}) }, null, 2)}\n`)
  else {
    print(runs, flags, selection.named)
    if (coverage) process.stdout.write(`\n${coverageText(coverage, { colour: outputColour(), width: outputWidth() }, flags.coverage ?? false)}\n`)
  }
  return exitCode(runs.map(({ run }) => run))
}

interface NamedRun {
  readonly run: Run
  /** As the person named it: a name or a path. */
  readonly scenario: string
}

async function searchAll(selection: Selection, flags: CheckFlags, names: readonly string[]): Promise<NamedRun[]> {
  const { model, scenarios } = selection
  const tasks = scenarios
    .filter((scenario) => !scenario.deep || flags.deep || selection.named)
    .flatMap((scenario) => kernelsFor(model, scenario, flags.kernel).map((kernel): Task => ({ scenario, kernel })))
  const changes = { with: switchesNamed(model, flags.with), without: switchesNamed(model, flags.without) }
  const random = randomOptions(flags)
  const explore = { ...exploreOptions(flags), ...(flags.coverage ? { coverage: true } : {}) }
  const runs = await runAll(selection, tasks, { ...changes, explore, ...(random ? { random } : {}) })
  return runs.map((run) => {
    const { scenario } = run.exploration.program
    return { run, scenario: names[scenarios.findIndex((one) => one.name === scenario)] ?? scenario }
  })
}

function commandOf(runs: readonly NamedRun[], run: Run, flags: CheckFlags): string {
  const found = runs.find((one) => one.run === run)
  const { program, grain } = run.exploration
  return reproducingCommand(program, found?.scenario ?? program.scenario, grain) + randomWords(randomOptions(flags))
}

function save(runs: readonly Run[], file: string): void {
  for (const run of runs) {
    const [worst] = failuresOf(run)
    const saved = worst && saveCounterexample(run, worst.verdict)
    if (saved) {
      writeFileSync(file, formatSaved(saved))
      return
    }
  }
  throw new Failure(`nothing failed, so there is no counterexample to save in ${file}`, 0)
}

/** The table; where scenarios were named, also the worst counterexample of each run. */
function print(runs: readonly NamedRun[], flags: CheckFlags, named: boolean): void {
  const look = { colour: outputColour(), width: outputWidth() }
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  if (named) {
    for (const { run } of runs) {
      const failures = failuresOf(run)
      for (const failure of flags.all ? failures : failures.slice(0, 1)) {
        out(renderCounterexample(run, failure.verdict, { ...look, command: commandOf(runs, run, flags) }))
        out('')
      }
      if (!flags.all && failures.length > 1) {
        out(`also failed on ${run.exploration.program.kernel} (--all prints their traces):`)
        for (const failure of failures.slice(1)) out(`  ${failure.check.kind}: ${failure.check.name}, ${failure.counterexample.steps.length} steps`)
        out('')
      }
    }
  }
  out(
    renderTable(
      runs.map(({ run }) => run),
      look,
    ),
  )
  if (runs.length === 1 && failuresOf(runs[0].run).length === 0) out(`\n${wrap(boundsLine(runs[0].run), look.width, 0).join('\n')}`)
  const limit = runs.map(({ run }) => run.exploration).find((exploration: Exploration) => exploration.limit !== undefined)
  if (limit) out(`\ninconclusive: ${limit.limit}; ${limit.states.toLocaleString('en')} states were covered to depth ${limit.depth}`)
}
