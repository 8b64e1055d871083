/** `putpage record`: the script that records a trace on the test machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { Failure } from './failure.ts'
import { packageRoot } from './files.ts'

export function addRecord(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('record')
    .description('print a shell script that records the page counts of a real kernel for `putpage trace`')
    .option('--script', 'print the script')
    .addHelpText(
      'after',
      `
The script needs root and a kernel built with CONFIG_DEBUG_PAGE_REF, and nothing else but a POSIX shell (docs/recording.md).

Example:
  putpage record --script > record.sh     here; then, on the test machine:
  sh record.sh -o run -- make test        writes run.dat and run.iomem`,
    )
    .action((flags: { script?: true }) => {
      if (flags.script === undefined)
        throw new Failure('putpage cannot record by itself: print the script with --script, and run it as root on the machine to be recorded')
      process.stdout.write(readFileSync(join(packageRoot(), 'record/record.sh'), 'utf8'))
      finish(0)
    })
}
