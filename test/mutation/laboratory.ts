/** Compiles and searches scenarios of the model, as it is and with a mistake in it. One a thread. */
import { join } from 'node:path'
import { declarationFiles, diskHost, packageRoot } from '../../src/cli/files.ts'
import { kernelsFor } from '../../src/cli/models.ts'
import type { Program } from '../../src/ir/program.ts'
import { type Facts, loadModel, type Model } from '../../src/lang/compile.ts'
import { ModelError } from '../../src/lang/diagnostic.ts'
import { filesBelow, readText } from './model-files.ts'
import { applyEdits, type Mutant } from './operators.ts'
import { difference, type QuickLimits, type QuickVerdict, quickVerdict } from './quick-verdict.ts'

/** A scenario on a kernel: what can tell a mutant from the model. */
export interface Target {
  readonly scenario: string
  readonly kernel: string
}

/** A target in the model as it is, compiled. */
export interface Baseline {
  readonly target: Target
  /** Of the compiled program. */
  readonly hash: string
  /** Keys of the statements of `kernel/` that its program contains. */
  readonly statements: readonly string[]
  /** Those of them that its set-up runs. */
  readonly setUp: readonly string[]
  /** Nodes of the program: what a search costs can only be guessed. */
  readonly nodes: number
}

export type Outcome =
  | { readonly status: 'killed'; readonly by: Target; readonly how: string }
  | { readonly status: 'refused'; readonly how: string }
  /** No verdict changed. `open`: targets not tried for lack of time, or whose search came to its limit. */
  | { readonly status: 'survived'; readonly tried: number; readonly open: number }
  /** In no program. */
  | { readonly status: 'unreached' }

export interface Budget {
  /** Seconds a mutant may take. */
  readonly seconds: number
  /** Most states of a search. */
  readonly maxStates: number
}

export class Laboratory {
  private readonly files: readonly string[]
  private readonly model: Model
  /** By target: what compiling the model as it is found out. */
  private readonly facts = new Map<string, Facts>()
  /** Verdicts by the hash of the program. */
  readonly verdicts: Map<string, QuickVerdict>

  constructor(verdicts: ReadonlyMap<string, QuickVerdict> = new Map()) {
    this.files = [...filesBelow('scenarios').map((file) => join(packageRoot(), file)), ...declarationFiles()]
    this.model = loadModel(diskHost(), this.files)
    if (this.model.mistakes.length > 0) throw new ModelError(this.model.mistakes)
    this.verdicts = new Map(verdicts)
  }

  /** Every scenario but the deep ones, on every kernel it makes sense on. */
  targets(): Target[] {
    const { scenarios } = this.model
    return scenarios
      .filter(({ deep }) => !deep)
      .flatMap((scenario) => kernelsFor(this.model, scenario, []).map((kernel): Target => ({ scenario: scenario.name, kernel: kernel as string })))
  }

  baseline(target: Target): Baseline {
    const program = this.compile(target)
    const inKernel = (keys: readonly string[]): string[] => keys.filter((key) => key.startsWith('kernel/'))
    const statements = inKernel(this.model.lowered())
    const setUp = inKernel(this.model.loweredBySetup())
    return { target, hash: program.hash, statements, setUp, nodes: program.threads.reduce((sum, { nodes }) => sum + nodes.length, 0) }
  }

  /** Tries targets in order until one tells the mutant from the model. */
  async judge(mutant: Mutant, baselines: readonly Baseline[], budget: Budget): Promise<Outcome> {
    if (baselines.length === 0) return { status: 'unreached' }
    const started = performance.now()
    const model = this.variant(mutant)
    let open = 0
    let tried = 0
    const { file, starts } = mutant
    const objects = declaresObjects(readText(file))
    for (const { target, hash, setUp } of baselines) {
      const left = budget.seconds - (performance.now() - started) / 1000
      if (left <= 0) {
        open += baselines.length - tried
        break
      }
      tried++
      try {
        const sameSetUp = !objects && !starts.some((start) => setUp.includes(`${file}:${start}`))
        const program = compileIn(model, target, sameSetUp ? this.factsOf(target) : undefined)
        if (program.hash === hash) continue
        const before =
          this.verdicts.get(hash) ?? (await this.verdict(this.compile(target), { maxStates: budget.maxStates, timeout: budget.seconds }, () => false))
        const limits = { maxStates: Math.min(budget.maxStates, 20_000 + 4 * before.states), timeout: Math.max(1, left) }
        const after = await this.verdict(program, limits, (failed) => failed.some((id) => !before.failed.includes(id)))
        // What a search that came to its limit did not find may still be there.
        const how = before.complete ? difference(before, after) : undefined
        if (how !== undefined) return { status: 'killed', by: target, how }
        if (!before.complete || !after.complete) open++
      } catch (error) {
        if (!(error instanceof Error)) throw error
        return { status: 'refused', how: error instanceof ModelError ? error.diagnostics[0].message : error.message.split('\n')[0] }
      }
    }
    return { status: 'survived', tried, open }
  }

  /** Compiles a target of the model as it is. */
  private compile(target: Target): Program {
    const program = compileIn(this.model, target, this.facts.get(nameOf(target)))
    const facts = this.model.facts()
    if (facts) this.facts.set(nameOf(target), facts)
    return program
  }

  private factsOf(target: Target): Facts | undefined {
    if (!this.facts.has(nameOf(target))) this.compile(target)
    return this.facts.get(nameOf(target))
  }

  private variant(mutant: Mutant): Model {
    const path = join(packageRoot(), mutant.file)
    const text = applyEdits(readText(mutant.file), mutant.edits)
    const disk = diskHost()
    return loadModel({ ...disk, readFile: (name) => (name === path ? text : disk.readFile(name)) }, this.files, this.model)
  }

  private async verdict(program: Program, limits: QuickLimits, settled: (failed: readonly string[]) => boolean): Promise<QuickVerdict> {
    const known = this.verdicts.get(program.hash)
    if (known?.complete) return known
    const verdict = await quickVerdict(program, limits, settled)
    if (verdict.complete) this.verdicts.set(program.hash, verdict)
    return verdict
  }
}

function nameOf({ scenario, kernel }: Target): string {
  return `${scenario} ${kernel}`
}

/** A file with classes or objects of its own: in a variant of it they are others. */
function declaresObjects(text: string): boolean {
  return /^(export )?(class \w|const \w+[^=]* = structs?\()/m.test(text)
}

function compileIn(model: Model, { scenario, kernel }: Target, facts?: Facts): Program {
  const found = model.scenarios.find(({ name }) => name === scenario)
  if (!found) throw new Error(`no scenario ${scenario}`)
  return model.compile(found, { kernel, ...(facts ? { facts } : {}) })
}
