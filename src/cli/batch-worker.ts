/** A worker of `batch.ts`: loads the models once, then searches what it is given, one at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { explore } from '../engine/explore.ts'
import type { Exploration, ExploreOptions } from '../engine/verdict.ts'
import { loadModel } from '../lang/compile.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { Failure } from './failure.ts'
import { declarationFiles, diskHost } from './files.ts'
import { compileFor } from './models.ts'

export interface BatchStart {
  readonly files: readonly string[]
  readonly explore: ExploreOptions
}

export interface BatchQuestion {
  readonly index: number
  readonly file: string
  readonly kernel: string | undefined
  readonly changes: { readonly with: readonly string[]; readonly without: readonly string[] }
}

export interface BatchAnswer {
  readonly index: number
  readonly exploration?: Exploration
  /** A message for the person: the model does not compile. */
  readonly error?: string
}

const start = workerData as BatchStart
const model = loadModel(diskHost(), [...start.files, ...declarationFiles()])

parentPort?.on('message', async ({ index, file, kernel, changes }: BatchQuestion) => {
  const answer = async (): Promise<BatchAnswer> => {
    try {
      const scenario = model.scenarios.find((one) => one.file.fileName === file) as ScenarioDeclaration
      return { index, exploration: sendable(await explore(compileFor(model, scenario, kernel, changes), start.explore)) }
    } catch (error) {
      if (error instanceof Failure) return { index, error: error.message }
      throw error
    }
  }
  parentPort?.postMessage(await answer())
})

/** A run without counterexamples is reported by its name and numbers: its graphs need not travel. */
function sendable(exploration: Exploration): Exploration {
  if (exploration.checks.some((check) => check.counterexample)) return exploration
  const { program } = exploration
  return { ...exploration, program: { ...program, columns: [], threads: program.threads.map((thread) => ({ ...thread, nodes: [], locals: [] })) } }
}
