/** Verdicts of earlier sessions, on disk: valid as long as model, scenarios and checker are the same, by content. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../cli/files.ts'
import type { RunSummary } from '../report/play.ts'

/** Changes when what is kept does. */
const VERSION = 1

/** Where verdicts are kept: PUTPAGE_CACHE names another directory; empty, nothing is kept. */
function cacheFile(): string | undefined {
  const { PUTPAGE_CACHE, XDG_CACHE_HOME } = process.env
  if (PUTPAGE_CACHE === '') return undefined
  const root = packageRoot()
  const build = dirname(dirname(fileURLToPath(import.meta.url)))
  const hash = createHash('sha256').update(`${VERSION}`)
  const folders = [
    ...['kernel', 'scenarios', 'changes'].map((name) => join(root, name)),
    ...['lang', 'ir', 'engine', 'report'].map((name) => join(build, name)),
  ]
  for (const folder of folders) {
    const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => /\.(ts|js)$/.test(file)).sort()
    for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)))
  }
  const directory = PUTPAGE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'putpage')
  return join(directory, `verdicts-${hash.digest('hex').slice(0, 24)}.json`)
}

export class VerdictCache {
  private readonly file = cacheFile()

  /** What was kept; nothing if there is none that can be read. */
  read(): RunSummary[] {
    try {
      return this.file !== undefined && existsSync(this.file) ? (JSON.parse(readFileSync(this.file, 'utf8')) as RunSummary[]) : []
    } catch {
      return []
    }
  }

  /** Keeps verdicts. A disk that cannot be written is no mistake: they are searched again. */
  write(summaries: readonly RunSummary[]): void {
    if (this.file === undefined) return
    try {
      mkdirSync(dirname(this.file), { recursive: true })
      const part = `${this.file}.${process.pid}`
      writeFileSync(part, JSON.stringify(summaries))
      renameSync(part, this.file)
    } catch {
      // Not kept.
    }
  }
}
