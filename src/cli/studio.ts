/** `putpage studio`: the local web app. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { ExitCode } from '../report/exit-code.ts'
import { modelList } from '../studio/answers.ts'
import { writeExport } from '../studio/export.ts'
import { startStudio } from '../studio/server.ts'
import type { Task } from './batch.ts'
import { Failure } from './failure.ts'
import { kernelsFor, select } from './models.ts'
import { several } from './search-options.ts'

/** Tried first, so that a link keeps its meaning from one day to the next. */
const USUAL_PORT = 7413

interface StudioFlags {
  readonly port?: string
  readonly order?: string
  readonly export?: string
  readonly kernel: readonly string[]
}

export function addStudio(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('studio')
    .description('the web app: verdicts, counterexamples played step by step, the order of the changes, recordings of real kernels')
    .argument('[scenario...]', 'with --export: the scenarios to take along (default: all that are not deep)')
    .option('--export <directory>', 'write the whole app as static files instead: no server is needed to look at them')
    .addOption(new Option('-k, --kernel <name>', 'with --export: kernels to take along; may be repeated (default: all)').argParser(several).default([], ''))
    .option('--port <n>', `port on 127.0.0.1 (default: ${USUAL_PORT}, or any if that is taken)`)
    .option('--order <file>', 'show this answer of `putpage order --json`')
    .addHelpText(
      'after',
      `
It listens on this machine only, until Ctrl-C. What is dropped on the page is read in the browser and goes nowhere.

Examples:
  putpage studio
  putpage order --json > order.json; putpage studio --order order.json
  putpage studio --export site truncate-against-direct-io gup-of-mapped-dax`,
    )
    .action(async (names: string[], flags: StudioFlags) => {
      finish(flags.export === undefined ? await studio(names, flags) : await exportStudio(flags.export, names, flags))
    })
}

async function studio(names: readonly string[], flags: StudioFlags): Promise<ExitCode> {
  if (names.length > 0 || flags.kernel.length > 0) throw new Failure('scenarios and --kernel choose what --export takes along; the studio itself shows all')
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

async function exportStudio(directory: string, names: readonly string[], flags: StudioFlags): Promise<ExitCode> {
  const order = flags.order === undefined ? undefined : readOrder(flags.order)
  const selection = select(names)
  const { model, scenarios } = selection
  const tasks = scenarios
    .filter((scenario) => !scenario.deep || selection.named)
    .flatMap((scenario) => kernelsFor(model, scenario, flags.kernel).map((kernel): Task => ({ scenario, kernel })))
  if (tasks.length === 0) throw new Failure('nothing to export: the scenarios named do not make sense on these kernels')
  const abort = new AbortController()
  const interrupt = (): void => abort.abort()
  process.once('SIGINT', interrupt)
  const say = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  }
  const onProgress = (done: number, of: number): void => say(`${done} of ${of} searches`)
  const { runs, files, bytes } = await writing(directory, () =>
    writeExport(directory, modelList(selection), tasks, { order, signal: abort.signal, onProgress }),
  )
  process.removeListener('SIGINT', interrupt)
  say('')
  const some = runs < tasks.length ? `interrupted: ${runs} of ${tasks.length}` : `${runs}`
  process.stdout.write(`${some} runs in ${directory}: ${files} files, ${(bytes / 1e6).toFixed(1)} MB. Open ${join(directory, 'index.html')}\n`)
  return runs < tasks.length ? 3 : 0
}

/** What a disk says is for the person who named the directory. */
async function writing<T>(directory: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new Failure(`${directory} cannot be written: ${error.message}`)
    throw error
  }
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
