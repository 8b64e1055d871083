/** `putpage studio --export`: the whole app as static files. Each run is a script of its own, loaded when it is looked at: so it works from file:// too. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Task } from '../cli/batch.ts'
import { Failure } from '../cli/failure.ts'
import { PRESETS } from '../cli/model-rules.ts'
import type { RunSummary } from '../report/play.ts'
import type { ModelList } from './answers.ts'
import { bookFor } from './book-worker.ts'
import { appFile, exportPage } from './page.ts'
import { sourcesOf } from './playing.ts'
import { Searches } from './searches.ts'
import { TRACED } from './traced-functions.ts'

export interface ExportOptions {
  /** An answer of `putpage order --json`. */
  readonly order?: object | undefined
  /** Functions whose calls in recordings can be held to the model. */
  readonly traced?: typeof TRACED
  /** Ends it: what was searched until then is written. */
  readonly signal?: AbortSignal
  onProgress?(done: number, of: number): void
}

export interface Exported {
  /** Runs that are in it: all, unless it was ended before. */
  readonly runs: number
  readonly files: number
  readonly bytes: number
}

/** Searches, and writes the app and the runs into a directory, each run when it is done. Throws `Failure` if a scenario does not compile. */
export async function writeExport(directory: string, model: ModelList, tasks: readonly Task[], options: ExportOptions = {}): Promise<Exported> {
  const { order, traced = TRACED, signal, onProgress } = options
  // Before minutes of searching: the app may not be built, the disk may be full or not ours.
  const app = [
    ['studio.js', appFile('studio.js')],
    ['studio.css', appFile('studio.css')],
  ] as const
  mkdirSync(join(directory, 'data'), { recursive: true })
  let files = 0
  let bytes = 0
  const write = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text)
    files++
    bytes += Buffer.byteLength(text)
  }
  const data = (name: string, packed: Uint8Array): void =>
    write(`data/${name}.js`, `putpageData(${JSON.stringify(name)}, '${Buffer.from(packed).toString('base64')}')\n`)
  for (const [name, text] of app) write(name, text)
  const kept: { readonly summary: RunSummary; readonly file: string }[] = []
  const modelFiles = new Set<string>()
  await searchAll(tasks, signal, (index, { summary, play, files: mine }) => {
    const file = `run${index}`
    data(file, play)
    kept.push({ summary, file })
    for (const one of mine) modelFiles.add(one)
    onProgress?.(kept.length, tasks.length)
  })
  data('sources', gzipSync(JSON.stringify(sourcesOf(modelFiles)), { level: 9 }))
  const kernels = [...new Set(kept.map(({ summary }) => summary.kernel))].filter((kernel) => PRESETS.includes(kernel))
  // Without functions to ask about, a book says too little to be of use.
  const books = traced.length > 0 ? kernels : []
  for (const kernel of books) data(`book-${kernel}`, gzipSync(bookFor(kernel, traced), { level: 9 }))
  const names = new Set(kept.map(({ summary }) => summary.scenario))
  const list: ModelList = { ...model, scenarios: model.scenarios.filter(({ name }) => names.has(name)) }
  write('index.html', exportPage({ kind: 'export', model: list, runs: kept, books, ...(order ? { order } : {}) }))
  return { runs: kept.length, files, bytes }
}

type Found = Extract<Parameters<Parameters<Searches['ask']>[1]>[0], { kind: 'done' }>

/** Makes the searches in workers; gives each as it ends. Rejects with the first mistake, of a model or of a disk. */
async function searchAll(tasks: readonly Task[], signal: AbortSignal | undefined, found: (index: number, news: Found) => void): Promise<void> {
  const searches = new Searches()
  try {
    await new Promise<void>((resolve, reject) => {
      let left = tasks.length
      signal?.addEventListener('abort', () => resolve())
      if (left === 0 || signal?.aborted) resolve()
      tasks.forEach(({ scenario, kernel = '' }, index) => {
        searches.ask({ scenario: scenario.name, kernel, with: [], without: [], bare: true }, (news) => {
          if (news.kind === 'progress' || signal?.aborted) return
          try {
            if (news.kind === 'error') throw new Failure(news.message)
            found(index, news)
          } catch (error) {
            reject(error)
          }
          if (--left === 0) resolve()
        })
      })
    })
  } finally {
    await searches.close()
  }
}
