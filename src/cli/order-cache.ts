/** What `order` has searched before, on disk: valid as long as model, scenario and checker are the same, by content. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { ExitCode } from '../report/exit-code.ts'
import { packageRoot } from './files.ts'
import type { OrderAnswer } from './order-worker.ts'

/** Changes when the format of what is kept does. */
const VERSION = 1

/** Where searches and answers are kept. */
function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'putpage')
}

/** A whole answer as it was printed, for the same question to the same model: nothing has to be loaded to give it again. */
export interface Printed {
  readonly code: ExitCode
  readonly output: string
}

export class PrintedCache {
  private readonly path: string

  /** `question`: all that the output follows from, beside the model and the program. */
  constructor(question: unknown) {
    const hash = createHash('sha256').update(`${VERSION} ${JSON.stringify(question)}`)
    const root = packageRoot()
    for (const folder of ['kernel', 'scenarios', 'changes']) addFolder(hash, join(root, folder))
    addFolder(hash, dirname(dirname(fileURLToPath(import.meta.url))))
    this.path = join(cacheDirectory(), `answer-${hash.digest('hex').slice(0, 32)}.json.gz`)
  }

  read(): Printed | undefined {
    return readKept<Printed>(this.path)
  }

  write(printed: Printed): void {
    // Where the disk takes nothing, the searches' cache has said so.
    writeKept(this.path, printed)
  }
}

export class OrderCache {
  private readonly directory: string
  private readonly common: string

  /** For searches on one kernel, up to a limit of states. */
  constructor(kernel: string, maxStates: number) {
    this.directory = cacheDirectory()
    const root = packageRoot()
    const build = dirname(dirname(fileURLToPath(import.meta.url)))
    const hash = createHash('sha256').update(`${VERSION} ${kernel} ${maxStates}`)
    for (const folder of [join(root, 'kernel'), join(build, 'lang'), join(build, 'ir'), join(build, 'engine'), join(build, 'report')]) addFolder(hash, folder)
    hash.update(readFileSync(join(root, 'src/lang/model.ts')))
    this.common = hash.digest('hex')
  }

  /** Earlier answers about a scenario whose file this is; none if there are none that can be read. */
  read(file: string): OrderAnswer[] {
    return readKept<OrderAnswer[]>(this.path(file)) ?? []
  }

  /** Keeps answers; gives why not, if the disk does not take them. */
  write(file: string, answers: readonly OrderAnswer[]): string | undefined {
    return writeKept(this.path(file), answers)
  }

  private path(file: string): string {
    const hash = createHash('sha256').update(this.common).update(file).update(readFileSync(file)).digest('hex')
    return join(this.directory, `order-${hash.slice(0, 32)}.json.gz`)
  }
}

/** Undefined if there is nothing that can be read. */
function readKept<T>(path: string): T | undefined {
  try {
    return existsSync(path) ? (JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as T) : undefined
  } catch {
    return undefined
  }
}

/** Writes whole or not at all; gives why not. */
function writeKept(path: string, content: unknown): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const part = `${path}.${process.pid}`
    writeFileSync(part, gzipSync(JSON.stringify(content)))
    renameSync(part, path)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function addFolder(hash: ReturnType<typeof createHash>, folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) addFolder(hash, path)
    else if (/\.(ts|js)$/.test(entry.name)) hash.update(`\0${entry.name}\0`).update(readFileSync(path))
  }
}
