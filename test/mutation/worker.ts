/** A worker of `mutate.ts`: a laboratory that answers one question at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Baseline, type Budget, Laboratory, type Outcome, type Target } from './laboratory.ts'
import type { Mutant } from './operators.ts'
import type { QuickVerdict } from './quick-verdict.ts'

export interface WorkerStart {
  readonly budget: Budget
  readonly verdicts: ReadonlyMap<string, QuickVerdict>
}

export type Question =
  | { readonly ask: 'targets' }
  | { readonly ask: 'baseline'; readonly target: Target }
  /** `order`: numbers of the baselines sent before. */
  | { readonly ask: 'judge'; readonly mutant: Mutant; readonly order: readonly number[] }
  | { readonly ask: 'learn'; readonly baselines: readonly Baseline[] }

export interface Answer {
  readonly targets?: readonly Target[]
  readonly baseline?: Baseline
  readonly outcome?: Outcome
  /** Verdicts found on the way, by hash of the program. */
  readonly verdicts: readonly (readonly [string, QuickVerdict])[]
  readonly error?: string
}

if (parentPort) {
  const port = parentPort
  const { budget, verdicts } = workerData as WorkerStart
  const laboratory = new Laboratory(verdicts)
  const told = new Set(verdicts.keys())
  let baselines: readonly Baseline[] = []
  const answer = async (question: Question): Promise<Omit<Answer, 'verdicts'>> => {
    switch (question.ask) {
      case 'targets':
        return { targets: laboratory.targets() }
      case 'baseline':
        return { baseline: laboratory.baseline(question.target) }
      case 'learn':
        baselines = question.baselines
        return {}
      case 'judge': {
        const order = question.order.map((at) => baselines[at])
        return { outcome: await laboratory.judge(question.mutant, order, budget) }
      }
    }
  }
  port.on('message', async (question: Question) => {
    const said = await answer(question).catch((error: Error) => ({ error: error.stack ?? error.message }))
    const fresh = [...laboratory.verdicts].filter(([hash]) => !told.has(hash))
    for (const [hash] of fresh) told.add(hash)
    port.postMessage({ ...said, verdicts: fresh } satisfies Answer)
  })
}
