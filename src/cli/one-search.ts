/** One search of `check`: a scenario on a kernel, by every interleaving or by random runs. */
import { explore } from '../engine/explore.ts'
import { exploreRandomly, type RandomOptions } from '../engine/random.ts'
import type { ExploreOptions } from '../engine/verdict.ts'
import type { Program } from '../ir/program.ts'
import type { Model } from '../lang/compile.ts'
import { stepsTaken } from '../report/coverage.ts'
import type { Run } from '../report/run.ts'

export interface HowToSearch {
  readonly explore: ExploreOptions
  /** Random runs instead of a search. */
  readonly random?: RandomOptions
}

/** Searches a program of a model; with `coverage`, and of random runs always, the run says which steps of the model were taken. */
export async function searchOne(model: Model, program: Program, { explore: options, random }: HowToSearch): Promise<Run> {
  const exploration = random ? await exploreRandomly(program, random, options) : await explore(program, options)
  return exploration.taken ? { exploration, coverage: stepsTaken(program, exploration.taken), lowered: model.lowered() } : { exploration }
}
