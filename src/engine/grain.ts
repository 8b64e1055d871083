/** What one step is: at grain `access` the program as it is, at grain `lock` without what no other thread can notice. */
import type { Program } from '../ir/program.ts'
import { type PruneOptions, prune } from '../ir/prune.ts'
import { fuse } from './fuse.ts'
import type { Grain } from './verdict.ts'

/** Gives the program whose transitions a search at this grain explores. The verdict of every check is the same at both. */
export function atGrain(program: Program, grain: Grain, options: PruneOptions = {}): Program {
  return grain === 'lock' ? fuse(prune(program, options)) : program
}
