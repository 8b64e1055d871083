/** Options of random runs. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { RandomOptions } from '../engine/random.ts'
import type { Strategy } from '../engine/random-schedule.ts'
import { Failure } from './failure.ts'

export interface RandomFlags {
  readonly random?: number
  readonly seed?: number
  readonly strategy?: Strategy
  readonly depth?: number
}

function whole(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value.replaceAll('_', ''))
    if (!Number.isSafeInteger(number) || number < least || value.trim() === '') throw new InvalidArgumentError(`a whole number from ${least} on is needed.`)
    return number
  }
}

/** Adds `--random`, `--seed`, `--strategy`, `--depth`. */
export function addRandomOptions(command: Command): Command {
  return command
    .option('--random <n>', 'make n random runs instead of trying every interleaving: for what is too large', whole(1))
    .option('--seed <n>', 'seed of the random runs; the same one gives the same runs (default: 1)', whole(0))
    .addOption(new Option('--strategy <name>', 'how a random run chooses who moves: uniform, or by priorities (default: uniform)').choices(['uniform', 'pct']))
    .option('--depth <n>', 'for pct: the number of ordering constraints of the bugs looked for (default: 3)', whole(1))
}

/** What was asked for; undefined if every interleaving is to be tried. */
export function randomOptions({ random, seed, strategy, depth }: RandomFlags): RandomOptions | undefined {
  if (random === undefined) {
    for (const [name, value] of Object.entries({ seed, strategy, depth }))
      if (value !== undefined) throw new Failure(`--${name} is for random runs: add --random <n>`)
    return undefined
  }
  if (depth !== undefined && strategy !== 'pct') throw new Failure('--depth is for --strategy pct')
  return { runs: random, seed: seed ?? 1, strategy: strategy ?? 'uniform', depth: depth ?? 3 }
}

/** The options again, to reproduce a run: ` --random 1000 --seed 1`. */
export function randomWords(random: RandomOptions | undefined): string {
  if (!random) return ''
  return ` --random ${random.runs} --seed ${random.seed}${random.strategy === 'pct' ? ` --strategy pct --depth ${random.depth}` : ''}`
}
