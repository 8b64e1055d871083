/** A worker of `searches.ts`: loads the model once, then searches what it is given, one at a time, and makes it playable. */
import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { reproducingCommand } from '../cli/command-line.ts'
import { Failure } from '../cli/failure.ts'
import { compileFor, select } from '../cli/models.ts'
import { explore } from '../engine/explore.ts'
import { type PackedPlay, PlayPacker } from '../report/packed-play.ts'
import { filesOf, PLAY_FORMAT, type RunSummary, summaryOf } from '../report/play.ts'
import { playable, sourcesOf } from './playing.ts'

/** One search to be made. */
export interface SearchQuestion {
  readonly number: number
  readonly scenario: string
  readonly kernel: string
  readonly with: readonly string[]
  readonly without: readonly string[]
  readonly maxStates?: number
  /** Without the text of the model files: whoever asks for many runs takes it along once. */
  readonly bare?: true
}

export type SearchNews =
  | { readonly number: number; readonly kind: 'progress'; readonly states: number; readonly depth: number; readonly seconds: number }
  /** `play`: a document of format putpage-play/1, packed with gzip; `files`: the model files it is in. */
  | { readonly number: number; readonly kind: 'done'; readonly summary: RunSummary; readonly play: Uint8Array; readonly files: readonly string[] }
  | { readonly number: number; readonly kind: 'error'; readonly message: string }

const TELL_EVERY = 0.15

const selection = select([])

async function search(question: SearchQuestion): Promise<SearchNews> {
  const { number, kernel, maxStates } = question
  const scenario = selection.scenarios.find(({ name }) => name === question.scenario)
  if (!scenario) return { number, kind: 'error', message: `there is no scenario '${question.scenario}'` }
  const program = compileFor(selection.model, scenario, kernel, question)
  let told = 0
  const exploration = await explore(program, {
    jobs: 1,
    ...(maxStates === undefined ? {} : { maxStates }),
    onProgress: ({ states, depth, seconds }) => {
      if (seconds - told < TELL_EVERY) return
      told = seconds
      parentPort?.postMessage({ number, kind: 'progress', states, depth, seconds } satisfies SearchNews)
    },
  })
  const run = { exploration }
  const play = playable(selection, run, reproducingCommand(program, scenario.name, exploration.grain))
  const packer = new PlayPacker()
  const packed = packer.pack(play)
  const document: PackedPlay = {
    format: PLAY_FORMAT,
    runs: [packed],
    ...packer.tables,
    sources: question.bare ? {} : sourcesOf(filesOf(play.program)),
    others: [],
  }
  return { number, kind: 'done', summary: summaryOf(run), play: gzipSync(JSON.stringify(document)), files: filesOf(play.program) }
}

parentPort?.on('message', async (question: SearchQuestion) => {
  try {
    parentPort?.postMessage(await search(question))
  } catch (error) {
    const message = error instanceof Failure ? error.message : `an internal error: ${error instanceof Error ? error.message : String(error)}`
    parentPort?.postMessage({ number: question.number, kind: 'error', message } satisfies SearchNews)
  }
})
