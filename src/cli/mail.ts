/** `putpage mail`, the main job: what the mail of November 2021 asks, answered by the checker. */
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'

export function addMail(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('mail')
    .description('answer the mail of November 2021: the kernel before, the patch as posted, and what landed')
    .action(() => {
      finish(0)
    })
}
