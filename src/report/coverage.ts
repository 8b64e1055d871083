/** Which steps of the model were taken, and which never. */
import { reachedWithoutFailing } from '../ir/failing.ts'
import type { Node, Program } from '../ir/program.ts'
import { kernelName } from './bounds.ts'
import type { ModelStep, StepTaken } from './model-step.ts'
import type { Run } from './run.ts'

/** Gives the steps of a compiled program; `taken` says by thread and node what was executed. */
export function stepsTaken(program: Program, taken: readonly Uint8Array[]): StepTaken[] {
  const steps = new Map<string, StepTaken>()
  program.threads.forEach((thread, t) => {
    const unfailing = reachedWithoutFailing(program, thread)
    thread.nodes.forEach((node, n) => {
      if (!isStep(node)) return
      const { file, line, text, stack } = node.at
      const step = { file, line, function: stack[stack.length - 1]?.name ?? '', text, taken: taken[t][n] !== 0, afterFailure: !unfailing.has(n) }
      const known = steps.get(keyOf(step))
      steps.set(keyOf(step), known ? { ...known, taken: known.taken || step.taken, afterFailure: known.afterFailure && step.afterFailure } : step)
    })
  })
  return [...steps.values()]
}

function isStep(node: Node): boolean {
  return node.op === 'load' || node.op === 'store' || node.op === 'step' || node.op === 'choose'
}

function keyOf({ file, line, function: name, text }: ModelStep): string {
  return [file, line, name, text].join(':')
}

/** What the searches of one kernel took together. */
export interface KernelCoverage {
  readonly kernel: string
  readonly scenarios: number
  /** Every search was complete: what was not taken cannot be taken in these scenarios. */
  readonly complete: boolean
  readonly steps: number
  readonly taken: number
  /** By file and line, without what only a failed check leads to. */
  readonly never: readonly ModelStep[]
}

/** Joins the runs of each kernel, in the order of the runs. */
export function coverageByKernel(runs: readonly Run[]): KernelCoverage[] {
  const kernels = [...new Set(runs.map(kernelName))]
  return kernels.map((kernel) => {
    const own = runs.filter((run) => kernelName(run) === kernel)
    const steps = together(own)
    const counted = steps.filter(({ taken, afterFailure }) => taken || !afterFailure)
    return {
      kernel,
      scenarios: own.length,
      complete: own.every(({ exploration }) => exploration.complete),
      steps: counted.length,
      taken: counted.filter(({ taken }) => taken).length,
      never: counted.filter(({ taken }) => !taken).map(plainStep),
    }
  })
}

/** A statement of the model, and the one it stands in. */
export interface Statement extends ModelStep {
  readonly key: string
  readonly within?: string
}

/** Statements that no run's program contains; of those inside one another only the outermost. */
export function neverCompiled(statements: readonly Statement[], runs: readonly Run[]): ModelStep[] {
  const lowered = new Set(runs.flatMap((run) => run.lowered ?? []))
  return statements.filter(({ key, within }) => !lowered.has(key) && (within === undefined || lowered.has(within))).map(plainStep)
}

/** Steps that no run took, on any kernel. */
export function neverTaken(runs: readonly Run[]): ModelStep[] {
  return together(runs)
    .filter(({ taken, afterFailure }) => !taken && !afterFailure)
    .map(plainStep)
}

function together(runs: readonly Run[]): StepTaken[] {
  const steps = new Map<string, StepTaken>()
  for (const { coverage } of runs) {
    for (const step of coverage ?? []) {
      const known = steps.get(keyOf(step))
      steps.set(keyOf(step), known ? { ...known, taken: known.taken || step.taken, afterFailure: known.afterFailure && step.afterFailure } : step)
    }
  }
  return [...steps.values()].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function plainStep({ file, line, function: name, text }: ModelStep): ModelStep {
  return { file, line, function: name, text }
}
