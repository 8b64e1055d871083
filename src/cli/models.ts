/** Finds scenarios, kernels and switches by what a person typed. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import type { Program } from '../ir/program.ts'
import { loadModel, type Model } from '../lang/compile.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { ModelError } from '../lang/diagnostic.ts'
import { Failure } from './failure.ts'
import { declarationFiles, diskHost, packageRoot } from './files.ts'

/** A model with the scenarios that were asked for. */
export interface Selection {
  readonly model: Model
  readonly scenarios: readonly ScenarioDeclaration[]
  /** The scenarios were named one by one. */
  readonly named: boolean
}

/** Loads the named scenarios (names of the package's own, or paths of files), or all of the package's. */
export function select(names: readonly string[]): Selection {
  const root = packageRoot()
  const own = readdirSync(join(root, 'scenarios'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()
  const files = names.length === 0 ? own.map((name) => join(root, 'scenarios', `${name}.ts`)) : names.map((name) => fileOf(name, own, root))
  const model = withFailures(() => loadModel(diskHost(), [...files, ...declarationFiles()]))
  const scenarios = files.map((file) => {
    const found = model.scenarios.find((scenario) => scenario.file.fileName === file)
    if (found) return found
    // The file declares none: its own mistakes, if any, say why.
    if (model.mistakes.length > 0) throw asFailure(new ModelError(model.mistakes))
    throw new Failure(`${file} declares no scenario.\nwrite: export default scenario({ about: '...', threads: { ... }, sometimes: { ... } })`)
  })
  return { model, scenarios, named: names.length > 0 }
}

function fileOf(name: string, own: readonly string[], root: string): string {
  if (name.includes('/') || name.endsWith('.ts')) {
    const path = isAbsolute(name) ? name : resolve(name)
    if (!existsSync(path)) throw new Failure(`no such file: ${name}`)
    if (!statSync(path).isFile()) throw new Failure(`${name} is a directory; name a scenario file`)
    return path
  }
  if (own.includes(name)) return join(root, 'scenarios', `${name}.ts`)
  throw new Failure(
    `there is no scenario '${name}'.${suggestion(name, own)}\n\`putpage list\` names them all; a scenario of your own is named by its path: ./my-scenario.ts`,
  )
}

/** `Did you mean ...?`, if something known is near to what was typed. */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const near = closest(name, [...known])
  const part = known.filter((one) => one.includes(name))
  if (part.length > 0) return ` Did you mean ${part.slice(0, 3).join(' or ')}?`
  return distance(name, near) <= Math.max(3, name.length / 2) ? ` Did you mean ${near}?` : ''
}

/** Kernels asked for, or all a scenario makes sense on. */
export function kernelsFor(model: Model, scenario: ScenarioDeclaration, asked: readonly string[]): readonly (string | undefined)[] {
  const known = model.kernels.map((kernel) => kernel.name)
  for (const kernel of asked)
    if (!known.includes(kernel)) throw new Failure(`there is no kernel '${kernel}'.${suggestion(kernel, known)} The kernels: ${known.join(', ')}`)
  if (known.length === 0) return [undefined]
  const fits = scenario.kernels.length === 0 ? known : known.filter((kernel) => scenario.kernels.includes(kernel))
  return asked.length === 0 ? fits : asked.filter((kernel) => fits.includes(kernel))
}

/** Switch names of what was typed: a name, a change or a part of one, or a commit (at least 7 digits of it), which may be several switches. */
export function switchesNamed(model: Model, typed: readonly string[]): string[] {
  return typed.flatMap((one) => {
    if (model.switches.has(one)) return [one]
    const change = switchesOfChange(model, one)
    if (change) return change
    const byCommit = [...model.switches].filter(
      ([, declared]) => one.length >= 7 && declared.commit !== undefined && (declared.commit.startsWith(one) || one.startsWith(declared.commit)),
    )
    if (byCommit.length > 0) return byCommit.map(([name]) => name)
    throw new Failure(
      `there is no change or fix '${one}'.${suggestion(one, [...model.proposals.keys(), ...model.switches.keys()])} \`putpage list\` names them all, with their commits`,
    )
  })
}

/** The switches of a change of `changes/`: `no-devmap-bit`, or `refcount-normalisation.fsdax` for a part of one. */
function switchesOfChange(model: Model, typed: string): string[] | undefined {
  const [name, part] = typed.split('.', 2)
  const parts = model.proposals.get(name)?.parts
  if (parts === undefined) return undefined
  const chosen = part === undefined ? Object.values(parts) : Object.entries(parts).flatMap(([key, value]) => (key === part ? [value] : []))
  return chosen.length === 0 ? undefined : chosen.flatMap(({ switches }) => [...switches])
}

/** Compiles, turning the model's mistakes into a message. */
export function compileFor(
  model: Model,
  scenario: ScenarioDeclaration,
  kernel: string | undefined,
  changes: { with: readonly string[]; without: readonly string[] },
): Program {
  return withFailures(() => model.compile(scenario, { kernel, ...changes }))
}

function withFailures<T>(body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw error instanceof ModelError ? asFailure(error) : error
  }
}

function asFailure(error: ModelError): Failure {
  const n = error.diagnostics.length
  return new Failure(`${error.message}\n\n${n} ${n === 1 ? 'mistake' : 'mistakes'}`)
}
