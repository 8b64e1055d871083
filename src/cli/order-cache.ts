/** What `order` has searched before, on disk: valid as long as model, scenario and checker are the same, by content. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { packageRoot } from './files.ts'
import type { OrderAnswer } from './order-worker.ts'

/** Changes when the format of what is kept does. */
const VERSION = 1

export class OrderCache {
  private readonly directory: string
  private readonly common: string

  /** For searches on one kernel, up to a limit of states. */
  constructor(kernel: string, maxStates: number) {
    const base = process.env.XDG_CACHE_HOME
    this.directory = join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'putpage')
    const root = packageRoot()
    const build = dirname(dirname(fileURLToPath(import.meta.url)))
    const hash = createHash('sha256').update(`${VERSION} ${kernel} ${maxStates}`)
    for (const folder of [join(root, 'kernel'), join(build, 'lang'), join(build, 'ir'), join(build, 'engine'), join(build, 'report')]) addFolder(hash, folder)
    hash.update(readFileSync(join(root, 'src/lang/model.ts')))
    this.common = hash.digest('hex')
  }

  /** Earlier answers about a scenario whose file this is; none if there are none that can be read. */
  read(file: string): OrderAnswer[] {
    const path = this.path(file)
    try {
      return existsSync(path) ? (JSON.parse(gunzipSync(readFileSync(path)).toString('utf8')) as OrderAnswer[]) : []
    } catch {
      return []
    }
  }

  /** Keeps answers; gives why not, if the disk does not take them. */
  write(file: string, answers: readonly OrderAnswer[]): string | undefined {
    const path = this.path(file)
    try {
      mkdirSync(this.directory, { recursive: true })
      const part = `${path}.${process.pid}`
      writeFileSync(part, gzipSync(JSON.stringify(answers)))
      renameSync(part, path)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  private path(file: string): string {
    const hash = createHash('sha256').update(this.common).update(file).update(readFileSync(file)).digest('hex')
    return join(this.directory, `order-${hash.slice(0, 32)}.json.gz`)
  }
}

function addFolder(hash: ReturnType<typeof createHash>, folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) addFolder(hash, path)
    else if (/\.(ts|js)$/.test(entry.name)) hash.update(`\0${entry.name}\0`).update(readFileSync(path))
  }
}
