/** `putpage export`: the model of a scenario for other tools. */
import type { Command } from 'commander'
import { Option } from 'commander'
import { explore } from '../engine/explore.ts'
import { atGrain } from '../engine/grain.ts'
import { toDot } from '../export/dot.ts'
import { toItf } from '../export/itf.ts'
import { toPromela } from '../export/promela.ts'
import type { Program } from '../ir/program.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { failuresOf } from '../report/run.ts'
import { Failure } from './failure.ts'
import { compileFor, kernelsFor, select, switchesNamed } from './models.ts'
import { modelOptions, type SearchFlags } from './search-options.ts'

interface ExportFlags extends SearchFlags {
  readonly to: 'promela' | 'dot' | 'itf'
  readonly check?: string
  readonly limit: string
}

export function addExport(program: Command, finish: (code: ExitCode) => void): void {
  modelOptions(program.command('export').description('print the model of a scenario for SPIN, Graphviz or an ITF viewer').argument('<scenario>'))
    .addOption(
      new Option('--to <format>', 'promela: the model; dot: its states; itf: its worst counterexample')
        .choices(['promela', 'dot', 'itf'])
        .makeOptionMandatory(),
    )
    .option('--check <id>', 'promela: make this check an assertion (ids are in `check --json` and `show`), or all: pan prints each that fails')
    .option('--limit <states>', 'dot: draw at most this many states', '2000')
    .addOption(new Option('--grain <grain>', 'what one step is').choices(['lock', 'access']).default('access'))
    .addHelpText(
      'after',
      '\nExamples:\n  putpage export gup-of-mapped-dax --kernel v6.1 --to promela > model.pml\n  putpage export gup-of-mapped-dax --kernel v5.15+seed --to itf > trace.itf.json',
    )
    .action(async (name: string, flags: ExportFlags) => {
      process.stdout.write(`${await exported(name, flags)}\n`)
      finish(0)
    })
}

async function exported(name: string, flags: ExportFlags): Promise<string> {
  const { model, scenarios } = select([name])
  const kernels = kernelsFor(model, scenarios[0], flags.kernel)
  if (kernels.length !== 1 && flags.kernel.length !== 1 && kernels[0] !== undefined)
    throw new Failure(`say which kernel: --kernel ${kernels.join(', --kernel ')}`)
  const compiled = compileFor(model, scenarios[0], kernels[0], { with: switchesNamed(model, flags.with), without: switchesNamed(model, flags.without) })
  const program = atGrain(compiled, flags.grain ?? 'access')
  if (flags.to === 'dot') return toDot(program, { limit: Number(flags.limit) })
  if (flags.to === 'itf') return counterexampleAsItf(compiled, flags)
  if (flags.check !== undefined && flags.check !== 'all' && !program.checks.some((check) => check.id === flags.check))
    throw new Failure(`there is no check '${flags.check}'; the checks:\n${program.checks.map((check) => `  ${check.id}`).join('\n')}`)
  return toPromela(program, flags.check === undefined ? {} : { check: flags.check })
}

async function counterexampleAsItf(compiled: Program, flags: ExportFlags): Promise<string> {
  const exploration = await explore(compiled, { grain: flags.grain })
  const [worst] = failuresOf({ exploration })
  if (!worst) throw new Failure('nothing fails here, so there is no path to export', 0)
  const { steps, cycleFrom } = worst.counterexample
  const { program } = exploration
  const states = [...steps.map((step) => step.from), ...steps.slice(-1).flatMap((step) => (step.transition.to ? [step.transition.to] : []))]
  const labels = steps.map(
    (step) => `${program.threads[step.transition.thread].name}: ${program.threads[step.transition.thread].nodes[step.transition.nodes[0]].at.text}`,
  )
  return JSON.stringify(
    toItf(program, { states, steps: labels, ...(cycleFrom === undefined ? {} : { loop: cycleFrom }), description: worst.check.message }),
    null,
    2,
  )
}
