/** A worker of `batch.ts`: loads the models once, then searches what it is given, one at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadModel } from '../lang/compile.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import type { Run } from '../report/run.ts'
import { Failure } from './failure.ts'
import { declarationFiles, diskHost } from './files.ts'
import { compileFor } from './models.ts'
import { type HowToSearch, searchOne } from './one-search.ts'

export interface BatchStart extends HowToSearch {
  readonly files: readonly string[]
}

export interface BatchQuestion {
  readonly index: number
  readonly file: string
  readonly kernel: string | undefined
  readonly changes: { readonly with: readonly string[]; readonly without: readonly string[] }
}

export interface BatchAnswer {
  readonly index: number
  readonly run?: Run
  /** A message for the person: the model does not compile. */
  readonly error?: string
}

const start = workerData as BatchStart
const model = loadModel(diskHost(), [...start.files, ...declarationFiles()])

parentPort?.on('message', async ({ index, file, kernel, changes }: BatchQuestion) => {
  const answer = async (): Promise<BatchAnswer> => {
    try {
      const scenario = model.scenarios.find((one) => one.file.fileName === file) as ScenarioDeclaration
      return { index, run: sendable(await searchOne(model, compileFor(model, scenario, kernel, changes), start)) }
    } catch (error) {
      if (error instanceof Failure) return { index, error: error.message }
      throw error
    }
  }
  parentPort?.postMessage(await answer())
})

/** A run without counterexamples is reported by its name and numbers: its graphs need not travel. */
function sendable(run: Run): Run {
  const { taken: _taken, ...exploration } = run.exploration
  if (exploration.checks.some((check) => check.counterexample)) return { ...run, exploration }
  const { program } = exploration
  const light = { ...program, columns: [], threads: program.threads.map((thread) => ({ ...thread, nodes: [], locals: [] })) }
  return { ...run, exploration: { ...exploration, program: light } }
}
