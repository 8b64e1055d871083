/** `putpage studio`: the local web app. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { startStudio } from '../studio/server.ts'
import { Failure } from './failure.ts'

/** Tried first, so that a link keeps its meaning from one day to the next. */
const USUAL_PORT = 7413

interface StudioFlags {
  readonly port?: string
  readonly order?: string
}

export function addStudio(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('studio')
    .description('the web app: verdicts, counterexamples played step by step, the order of the changes, recordings of real kernels')
    .option('--port <n>', `port on 127.0.0.1 (default: ${USUAL_PORT}, or any if that is taken)`)
    .option('--order <file>', 'show this answer of `putpage order --json`')
    .addHelpText(
      'after',
      `
It listens on this machine only, until Ctrl-C. What is dropped on the page is read in the browser and goes nowhere.

Examples:
  putpage studio
  putpage order --json > order.json; putpage studio --order order.json`,
    )
    .action(async (flags: StudioFlags) => {
      finish(await studio(flags))
    })
}

async function studio(flags: StudioFlags): Promise<ExitCode> {
  const order = flags.order === undefined ? undefined : readOrder(flags.order)
  const server = await start(flags.port, order)
  process.stdout.write(`putpage studio: ${server.url}\n(Ctrl-C ends it)\n`)
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  await server.close()
  return 0
}

async function start(port: string | undefined, order: object | undefined): Promise<Awaited<ReturnType<typeof startStudio>>> {
  if (port !== undefined) {
    const number = Number(port)
    if (!Number.isInteger(number) || number < 0 || number > 65535) throw new Failure(`--port ${port}: a number from 0 to 65535 is needed`)
    return startStudio(number, order)
  }
  try {
    return await startStudio(USUAL_PORT, order)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return startStudio(0, order)
    throw error
  }
}

function readOrder(file: string): object {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    const order = JSON.parse(text) as { readonly format?: unknown }
    if (order?.format === 'putpage-order/1') return order
  } catch {
    // Said below.
  }
  throw new Failure(`${file} is no answer of \`putpage order --json\``)
}
