#!/usr/bin/env node
/** The command line: one file a command, each adds itself here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExitCode } from '../report/exit-code.ts'
import { endEarly, startEarly } from './early-threads.ts'
import { Failure } from './failure.ts'
import { packageRoot } from './files.ts'

if (process.argv[2] === 'trace') startEarly(process.argv.slice(3))
const { Command, CommanderError } = await import('commander')
type Program = InstanceType<typeof Command>

const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
const finish = (code: ExitCode): void => {
  process.exitCode = code
}
const program = new Command('putpage')
  .description('What breaks when the reference count of device pages changes, by an executable model of the kernel and every interleaving of it.')
  .version(version)
  .exitOverride()
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for the options)')
for (const add of await commands()) add(program, finish)

/**
 * The commands, in the order of the help. One that reads recordings is loaded alone: the others bring the compiler of the model with them, which
 * takes longer than many a trace.
 */
async function commands(): Promise<((program: Program, finish: (code: ExitCode) => void) => void)[]> {
  const asked = process.argv[2]
  if (asked === 'trace') return [(await import('./trace.ts')).addTrace]
  if (asked === 'record') return [(await import('./record.ts')).addRecord]
  if (asked === '--version' || asked === '-V') return []
  return [
    (await import('./mail.ts')).addMail,
    (await import('./check.ts')).addCheck,
    (await import('./order.ts')).addOrder,
    (await import('./bugs.ts')).addBugs,
    (await import('./list.ts')).addList,
    (await import('./show.ts')).addShow,
    (await import('./run.ts')).addRun,
    (await import('./replay.ts')).addReplay,
    (await import('./export.ts')).addExport,
    (await import('./record.ts')).addRecord,
    (await import('./trace.ts')).addTrace,
    (await import('./studio.ts')).addStudio,
  ]
}

// A reader that stops reading (`| head`) ends the output, not with an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`putpage: cannot write the output: ${error.message}\n`)
  process.exit(error.code === 'EPIPE' ? 0 : 2)
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) finish(error.exitCode === 0 ? 0 : 2)
  else if (error instanceof Failure) {
    process.stderr.write(`${error.message}\n`)
    finish(error.exitCode)
  } else if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    // The operating system's: a full disk, a missing directory, no permission.
    process.stderr.write(`putpage: ${error.message}\n`)
    finish(2)
  } else {
    process.stderr.write(`putpage: an internal error; please report it\n${error instanceof Error ? error.stack : String(error)}\n`)
    finish(2)
  }
} finally {
  await endEarly()
}
