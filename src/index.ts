/**
 * putpage as a library: compile a scenario, step it, search it.
 *
 *     import { compile, explore, interpret } from 'putpage'
 *
 *     const program = compile('./my-scenario.ts', { kernel: 'v6.1' })
 *     const result = await explore(program)
 *     console.log(result.verdict, result.states)
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { absolute, declarationFiles, diskHost, packageRoot } from './cli/files.ts'
import type { Program } from './ir/program.ts'
import { type CompileOptions, loadModel } from './lang/compile.ts'

export { explore } from './engine/explore.ts'
export type { CheckVerdict, Counterexample, Exploration, ExploreOptions, Grain, Progress, Step } from './engine/verdict.ts'
export { type Interpreter, interpret, type Transition } from './ir/interpreter.ts'
export type { Check, CheckKind, Program } from './ir/program.ts'
export type { CompileOptions } from './lang/compile.ts'
export { type Diagnostic, ModelError } from './lang/diagnostic.ts'

/**
 * Compiles a scenario: the name of one of the package's own, or the path of a file. `kernel` is one of the model's
 * kernels (default: the first). Throws `ModelError`, with every mistake found, if it is not a model.
 */
export function compile(scenario: string, options: CompileOptions = {}): Program {
  const own = join(packageRoot(), 'scenarios', `${scenario}.ts`)
  const file = existsSync(own) ? own : absolute(scenario)
  const model = loadModel(diskHost(), [file, ...declarationFiles()])
  const found = model.scenarios.find((one) => one.file.fileName === file)
  if (!found) throw new Error(`${scenario} declares no scenario, or is no file`)
  return model.compile(found, options)
}
