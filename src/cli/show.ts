/** `putpage show`: a scenario after lowering, step by step. */
import { type Command, Option } from 'commander'
import { atGrain } from '../engine/grain.ts'
import { printProgram } from '../ir/print.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { compileFor, kernelsFor, select, switchesNamed } from './models.ts'
import { modelOptions, type SearchFlags } from './search-options.ts'

export function addShow(program: Command, finish: (code: ExitCode) => void): void {
  modelOptions(
    program.command('show').description('print the model of a scenario after lowering: its state, and each thread step by step').argument('<scenario>'),
    'the newest it makes sense on',
  )
    .addOption(new Option('--grain <grain>', 'what one step is').choices(['lock', 'access']).default('access'))
    .addHelpText('after', '\nExample:\n  putpage show gup-of-mapped-dax --kernel v7.3')
    .action((name: string, flags: SearchFlags) => {
      const { model, scenarios } = select([name])
      const changes = { with: switchesNamed(model, flags.with), without: switchesNamed(model, flags.without) }
      for (const kernel of kernelsFor(model, scenarios[0], flags.kernel).slice(flags.kernel.length === 0 ? -1 : 0)) {
        const compiled = compileFor(model, scenarios[0], kernel, changes)
        process.stdout.write(printProgram(atGrain(compiled, flags.grain ?? 'access')))
      }
      finish(0)
    })
}
