#!/usr/bin/env node
/** The command line: one file a command, each adds itself here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { addBugs } from './bugs.ts'
import { addCheck } from './check.ts'
import { addExport } from './export.ts'
import { Failure } from './failure.ts'
import { packageRoot } from './files.ts'
import { addList } from './list.ts'
import { addMail } from './mail.ts'
import { addRecord } from './record.ts'
import { addReplay } from './replay.ts'
import { addRun } from './run.ts'
import { addShow } from './show.ts'

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
for (const add of [addMail, addCheck, addBugs, addList, addShow, addRun, addReplay, addExport, addRecord]) add(program, finish)

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
}
