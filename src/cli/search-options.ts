/** Options that say how to search, shared by the commands that do. */
import { totalmem } from 'node:os'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExploreOptions, Grain } from '../engine/verdict.ts'

export interface SearchFlags {
  readonly kernel: readonly string[]
  readonly with: readonly string[]
  readonly without: readonly string[]
  readonly grain?: Grain
  readonly jobs?: number
  readonly maxStates?: number
  readonly maxMemory?: number
  readonly timeout?: number
  readonly fingerprint?: boolean
  readonly livelock: boolean
}

/** Collects an option that may be given several times, or with commas. */
export function several(value: string, before: readonly string[]): readonly string[] {
  return [
    ...before,
    ...value
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  ]
}

export function positive(value: string): number {
  const number = Number(value.replaceAll('_', ''))
  if (!Number.isFinite(number) || number <= 0) throw new InvalidArgumentError('a positive number is needed.')
  return number
}

function bytes(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgKMG]?)i?[bB]?$/.exec(value)
  if (!match) throw new InvalidArgumentError('a size is needed, as 500M or 2G.')
  return Number(match[1]) * 1024 ** ' kmg'.indexOf(match[2].toLowerCase() || ' ')
}

/** Adds `--kernel`, `--with`, `--without`. */
export function modelOptions(command: Command, otherwise = 'all'): Command {
  return command
    .addOption(new Option('-k, --kernel <name>', `kernel, as v6.1; may be repeated (default: ${otherwise})`).argParser(several).default([], ''))
    .addOption(new Option('--with <change>', 'add a change or fix, by name or commit; may be repeated').argParser(several).default([], ''))
    .addOption(new Option('--without <change>', 'take a change or fix out, by name or commit; may be repeated').argParser(several).default([], ''))
}

/** Adds limits and ways of searching. */
export function searchOptions(command: Command): Command {
  return command
    .addOption(new Option('--grain <grain>', 'what one step is: every access, or accesses under a verified lock together').choices(['lock', 'access']))
    .option('--jobs <n>', 'worker threads (default: all cores; the answer is the same)', positive)
    .option('--max-states <n>', 'stop after this many states (then: inconclusive)', positive)
    .option('--max-memory <size>', `memory for the states of one search, as 2G (default: 60% of this machine's ${Math.round(totalmem() / 2 ** 30)} GiB)`, bytes)
    .option('--timeout <seconds>', 'stop after this time (then: inconclusive)', positive)
    .option('--fingerprint', 'store 64-bit hashes instead of states: less memory, and two states may be taken for one')
    .option('--no-livelock', 'do not look for livelocks')
}

/** The engine's options of what was typed. */
export function exploreOptions(flags: SearchFlags): ExploreOptions {
  const { grain, jobs, maxStates, maxMemory, timeout, fingerprint, livelock } = flags
  return { grain, jobs, maxStates, maxMemory, timeout, fingerprint, livelock }
}
