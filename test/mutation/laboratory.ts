/** Compiles and searches scenarios of the model, as it is and with mistakes in it. One a thread. */
import { join } from 'node:path'
import { declarationFiles, diskHost, packageRoot } from '../../src/cli/files.ts'
import { kernelsFor } from '../../src/cli/models.ts'
import type { Program } from '../../src/ir/program.ts'
import { loadModel, type Model } from '../../src/lang/compile.ts'
import type { ScenarioDeclaration } from '../../src/lang/declarations.ts'
import { ModelError } from '../../src/lang/diagnostic.ts'
import { filesBelow, readText } from './model-files.ts'
import type { Mutant } from './operators.ts'
import { difference, type QuickVerdict, Searches } from './quick-verdict.ts'
import { type Named, SWITCHES_FILE, switchesFile, weave } from './weave.ts'

/** A scenario on a kernel: what can tell a mutant from the model. */
export interface Target {
  readonly scenario: string
  readonly kernel: string
}

/** What one target says of one mutant. */
export type Word =
  | { readonly says: 'killed'; readonly how: string }
  | { readonly says: 'refused'; readonly how: string }
  /** The verdict is the same. */
  | { readonly says: 'same' }
  /** Neither its program nor its set-up contains the statement. */
  | { readonly says: 'not in it' }
  /** Nobody comes to the statement, in no run. */
  | { readonly says: 'never there' }
  /** The search came to its limit. */
  | { readonly says: 'open' }

/** Seconds that a search may take; the limit that counts is that of states, which does not depend on the machine. */
const MOST_SECONDS = 60

/** A mistake with a lock need not make anybody wait: lockdep looks at the lock itself. */
const WITH = ['prove_locking']

export class Laboratory {
  private readonly model: Model
  private readonly mutants: readonly Mutant[]
  private readonly maxStates: number

  /** Every mutant is known by its place in the list; only those `chosen` can be asked about. */
  constructor(mutants: readonly Mutant[], maxStates: number, chosen: readonly number[] = mutants.map((_, nth) => nth)) {
    const files = modelFiles()
    const disk = diskHost()
    const plain = loadModel(disk, files)
    if (plain.mistakes.length > 0) throw new ModelError(plain.mistakes)
    const woven = new Map([[join(packageRoot(), SWITCHES_FILE), switchesFile(chosen.map(nameOf))]])
    const byFile = new Map<string, Named[]>()
    chosen.forEach((nth) => {
      const mutant = mutants[nth]
      byFile.set(mutant.file, [...(byFile.get(mutant.file) ?? []), { name: nameOf(nth), mutant }])
    })
    for (const [file, named] of byFile) woven.set(join(packageRoot(), file), weave(file, readText(file), named))
    this.model = loadModel({ ...disk, readFile: (name) => woven.get(name) ?? disk.readFile(name) }, files, plain)
    if (this.model.mistakes.length > 0) throw new ModelError(this.model.mistakes)
    this.mutants = mutants
    this.maxStates = maxStates
  }

  /** The mutants whose statements a target's program or its set-up contains. */
  contained(target: Target): number[] {
    const read = new Set(this.model.compile(this.scenario(target), { kernel: target.kernel, with: WITH }).switchesRead)
    return this.mutants.flatMap((_, nth) => (read.has(nameOf(nth)) ? [nth] : []))
  }

  /** Asks a target about some mutants, one after the other, in one program that has them all. */
  async ask(target: Target, mutants: readonly number[]): Promise<Map<number, Word>> {
    const names = mutants.map(nameOf)
    const found = new Map<number, Word>()
    try {
      const template = this.model.compileTemplate(this.scenario(target), target.kernel, names, WITH)
      const asIs = template.instantiate(new Set())
      if (!asIs) throw new Error('the set-up needs other code')
      const contained = new Set(template.program.switchesRead)
      const inIt = mutants.filter((nth) => contained.has(nameOf(nth)))
      for (const nth of mutants) if (!inIt.includes(nth)) found.set(nth, { says: 'not in it' })
      if (inIt.length === 0) return found
      const searches = new Searches(template.program)
      const before = await searches.verdict(asIs.program, { maxStates: this.maxStates, timeout: MOST_SECONDS })
      const limits = { maxStates: Math.min(this.maxStates, 20_000 + 4 * before.states), timeout: MOST_SECONDS }
      const read = new Set([...before.inputsRead, ...asIs.preparedBy])
      // A search that comes to its limit as it is has nothing to compare with.
      for (const nth of inIt) {
        const name = nameOf(nth)
        const instance = read.has(name) && before.complete ? template.instantiate(new Set([name])) : undefined
        if (!read.has(name)) found.set(nth, { says: before.complete ? 'never there' : 'open' })
        else if (!before.complete) found.set(nth, { says: 'open' })
        else if (!instance) found.set(nth, await this.askAlone(target, nth, before))
        else found.set(nth, word(before, await searches.verdict(instance.program, limits, before)))
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // One of them is no program: which?
      if (mutants.length === 1) return found.set(mutants[0], await this.askAlone(target, mutants[0]))
      const half = mutants.length >> 1
      for (const part of [mutants.slice(0, half), mutants.slice(half)]) for (const [nth, said] of await this.ask(target, part)) found.set(nth, said)
    }
    return found
  }

  /** Asks a target about a mutant with a program made for it: where its set-up leads to other code. */
  async askAlone(target: Target, nth: number, before?: QuickVerdict): Promise<Word> {
    try {
      const compile = (on: readonly string[]): Program => this.model.compile(this.scenario(target), { kernel: target.kernel, with: [...WITH, ...on] })
      const program = compile([nameOf(nth)])
      const limits = { maxStates: this.maxStates, timeout: MOST_SECONDS }
      const plain = compile([])
      if (plain.hash === program.hash) return { says: 'same' }
      const was = before ?? (await new Searches(plain).verdict(plain, limits))
      if (!was.complete) return { says: 'open' }
      return word(was, await new Searches(program).verdict(program, { ...limits, maxStates: Math.min(this.maxStates, 20_000 + 4 * was.states) }, was))
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return { says: 'refused', how: error instanceof ModelError ? error.diagnostics[0].message : error.message.split('\n')[0] }
    }
  }

  private scenario({ scenario }: Target): ScenarioDeclaration {
    const found = this.model.scenarios.find(({ name }) => name === scenario)
    if (!found) throw new Error(`no scenario ${scenario}`)
    return found
  }
}

function word(before: QuickVerdict, after: QuickVerdict): Word {
  const how = difference(before, after)
  if (how !== undefined) return { says: 'killed', how }
  return { says: after.complete ? 'same' : 'open' }
}

/** The switch of the mutant at a place of the list. */
export function nameOf(nth: number): string {
  return `m${nth}`
}

/** Every scenario but the deep ones, on every kernel it makes sense on. */
export function targetsOfModel(): Target[] {
  const model = loadModel(diskHost(), modelFiles())
  return model.scenarios
    .filter(({ deep }) => !deep)
    .flatMap((scenario) => kernelsFor(model, scenario, []).map((kernel): Target => ({ scenario: scenario.name, kernel: kernel as string })))
}

function modelFiles(): string[] {
  return [...filesBelow('scenarios').map((file) => join(packageRoot(), file)), ...declarationFiles()]
}
