/** Runs SPIN on a Promela text: the independent explorer that ours is counted against. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SpinOptions {
  /** `-D` definitions for the model: `NGUP=3`. */
  readonly defines?: readonly string[]
  /** Options of `spin -a`; by default those that switch its own reductions off. */
  readonly spin?: readonly string[]
  /** Definitions for the C compiler besides `SAFETY`; by default `NOREDUCE`. */
  readonly pan?: readonly string[]
  /** Default: gcc. tcc optimises nothing, and takes a second for what takes gcc minutes. */
  readonly compiler?: 'gcc' | 'tcc'
  /** gcc's optimisation; compiling dominates the time of small models. */
  readonly optimise?: '-O0' | '-O2'
  /** pan's `-m`: the longest path, in statements. */
  readonly depth?: number
}

export interface SpinCount {
  /** Distinct states, the initial one included. */
  readonly states: number
  /** States stored + matched, less the initial one: the transitions of the model. */
  readonly transitions: number
  readonly errors: number
  /** Ids of the checks that failed, if all were exported. */
  readonly failed: readonly string[]
  /** What pan said. */
  readonly output: string
}

/** Compiles and runs a model. Throws if SPIN or gcc is missing, refuses it, or did not search to the end. */
export function runSpin(promela: string, options: SpinOptions = {}): SpinCount {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-spin-'))
  const run = (command: string, args: readonly string[]): string => {
    try {
      return execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: string; stdout?: string; stderr?: string }
      if (code === 'ENOENT') throw new Error(`${command} is not installed; this test needs spin and gcc`)
      throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`)
    }
  }
  try {
    writeFileSync(join(directory, 'model.pml'), promela)
    const vector = /-DVECTORSZ=\d+/.exec(promela)
    run('spin', ['-a', ...(options.spin ?? ['-o1', '-o2', '-o3']), ...(options.defines ?? []).map((define) => `-D${define}`), 'model.pml'])
    const definitions = ['SAFETY', ...(options.pan ?? ['NOREDUCE'])].map((define) => `-D${define}`)
    // In tcc's code arithmetic wraps without its being asked.
    const how = options.compiler === 'tcc' ? [] : [options.optimise ?? '-O2', '-fwrapv']
    run(options.compiler ?? 'gcc', [...how, '-w', ...definitions, ...(vector ?? []), '-o', 'pan', 'pan.c'])
    return readCount(run('./pan', [`-m${options.depth ?? 200_000}`, '-w20']))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** For models that take longer to compile than to run, or have more text than gcc can: tcc where it is installed, else gcc. */
export const QUICK = { compiler: spawnSync('tcc', ['-v'], { stdio: 'ignore' }).status === 0 ? 'tcc' : 'gcc', optimise: '-O0' } as const satisfies SpinOptions

/** Reads a file that lies beside the test's source; the compiled test runs in `build/test/export`. */
export function readModel(name: string): string {
  return readFileSync(new URL(`../../../test/export/${name}`, import.meta.url), 'utf8')
}

function readCount(output: string): SpinCount {
  if (output.includes('max search depth too small')) throw new Error(`pan: max search depth too small\n${output}`)
  const number = (pattern: RegExp): number => {
    const found = pattern.exec(output)
    if (!found) throw new Error(`pan said nothing like ${pattern}:\n${output}`)
    return Number(found[1])
  }
  const errors = number(/errors: (\d+)/)
  if (errors === 0 && /Search not completed/.test(output)) throw new Error(`pan did not finish:\n${output}`)
  return {
    states: number(/(\d+) states, stored/),
    transitions: number(/(\d+) transitions \(/) - 1,
    errors,
    failed: [...output.matchAll(/^fails: (.*)$/gm)].map((found) => found[1]).sort(),
    output,
  }
}
