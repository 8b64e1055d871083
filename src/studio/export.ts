/** `putpage studio --export`: the whole app as static files. Each run is a script of its own, loaded when it is looked at: so it works from file:// too. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { reproducingCommand } from '../cli/command-line.ts'
import { PRESETS } from '../cli/model-rules.ts'
import type { Selection } from '../cli/models.ts'
import { PLAY_FORMAT, type PlayDocument, summaryOf } from '../report/play.ts'
import type { Run } from '../report/run.ts'
import type { ModelList } from './answers.ts'
import { bookFor } from './book-worker.ts'
import { appFile, exportPage } from './page.ts'
import { playable, sourcesOf } from './playing.ts'
import { TRACED } from './traced-functions.ts'

export interface Exported {
  readonly files: number
  readonly bytes: number
}

/** Writes the app and the runs into a directory. `order`: an answer of `putpage order --json`; `traced`: functions whose calls in recordings can be held to the model. */
export function writeExport(
  directory: string,
  selection: Selection,
  model: ModelList,
  runs: readonly Run[],
  order: object | undefined,
  traced = TRACED,
): Exported {
  mkdirSync(join(directory, 'data'), { recursive: true })
  let files = 0
  let bytes = 0
  const write = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text)
    files++
    bytes += Buffer.byteLength(text)
  }
  const pack = (text: string): string => gzipSync(text, { level: 9 }).toString('base64')
  const sources: Record<string, string> = {}
  const kept: { summary: ReturnType<typeof summaryOf>; file: string }[] = []
  runs.forEach((run, i) => {
    const { program, grain } = run.exploration
    const play = playable(selection, run, reproducingCommand(program, program.scenario, grain))
    Object.assign(sources, sourcesOf([play]))
    const document: PlayDocument = { format: PLAY_FORMAT, runs: [play], sources: {}, others: [] }
    const file = `run${i}`
    write(`data/${file}.js`, `putpageData(${JSON.stringify(file)}, '${pack(JSON.stringify(document))}')\n`)
    kept.push({ summary: summaryOf(run), file })
  })
  write('data/sources.js', `putpageData('sources', '${pack(JSON.stringify(sources))}')\n`)
  const kernels = [...new Set(runs.map((run) => run.exploration.program.kernel))].filter((kernel) => PRESETS.includes(kernel))
  // Without functions to ask about, a book says too little to be of use.
  for (const kernel of traced.length > 0 ? kernels : []) {
    write(`data/book-${kernel}.js`, `putpageData(${JSON.stringify(`book-${kernel}`)}, '${pack(bookFor(kernel, traced))}')\n`)
  }
  const names = new Set(runs.map((run) => run.exploration.program.scenario))
  const list: ModelList = { ...model, scenarios: model.scenarios.filter(({ name }) => names.has(name)) }
  write('studio.js', appFile('studio.js'))
  write('studio.css', appFile('studio.css'))
  write('index.html', exportPage({ kind: 'export', model: list, runs: kept, books: traced.length > 0 ? kernels : [], ...(order ? { order } : {}) }))
  return { files, bytes }
}
