/** The package's model with some lines changed in memory: what a mistake in it would come to. */
import { join } from 'node:path'
import { diskHost, packageRoot } from '../../src/cli/files.ts'
import { explore } from '../../src/engine/explore.ts'
import type { Exploration, ExploreOptions } from '../../src/engine/verdict.ts'
import type { Program } from '../../src/ir/program.ts'
import { loadModel } from '../../src/lang/compile.ts'

/** Replaces a text that stands exactly once in a file. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** Compiles a scenario (of the package, or one given as `own` text) of the edited model, with the switches `plus`. */
export function mutated(scenario: string, kernel: string | undefined, edits: readonly Edit[], own?: string, plus: readonly string[] = []): Program {
  const disk = diskHost()
  const root = packageRoot()
  const files = new Map<string, string>()
  const path = join(root, 'scenarios', `${scenario}.ts`)
  if (own !== undefined) files.set(path, own)
  for (const { file, from, to } of edits) {
    const at = join(root, file)
    const text = files.get(at) ?? disk.readFile(at)
    if (text === undefined) throw new Error(`no file ${file}`)
    const parts = text.split(from)
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${from}`)
    files.set(at, parts.join(to))
  }
  const model = loadModel({ root, readFile: (name) => files.get(name) ?? disk.readFile(name) }, [path, join(root, 'kernel', 'switches.ts')])
  const found = model.scenarios.find((one) => one.file.fileName === path)
  if (!found) throw new Error(`${scenario} declares no scenario`)
  return model.compile(found, { kernel, with: plus })
}

export function search(program: Program, options: ExploreOptions = {}): Promise<Exploration> {
  return explore(program, { jobs: 1, maxStates: 1_000_000, ...options })
}
