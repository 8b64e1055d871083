/** One timed search, by SPIN or by the explorer, each in a process of its own so that its memory can be told. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toPromela } from '../src/export/promela.ts'
import { compile } from '../src/index.ts'

export interface Measured {
  readonly states: number
  readonly transitions: number
  readonly seconds: number
  /** What the search holds for states: stored states, hash table and, for ours, the frontier and all else that grew. */
  readonly bytes: number
  readonly compileSeconds: number
}

const KERNEL = 'v6.1'

/** A hand-written Promela text, with its definitions: faster for SPIN than our export, so it is what pageref is held against. */
export interface HandWritten {
  readonly file: string
  readonly defines: readonly string[]
  /** States SPIN counts before the processes are started. */
  readonly extra: number
}

/** Exports a model (or takes a hand-written one), compiles its verifier, and finds how deep its stack must be. */
export function prepareSpin(scenario: string, kernel = KERNEL, handWritten?: HandWritten): { run(): Measured } {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-bench-'))
  const started = process.hrtime.bigint()
  const promela = handWritten ? readFileSync(handWritten.file, 'utf8') : toPromela(compile(scenario, { kernel }))
  const extra = handWritten?.extra ?? 0
  const vector = /-DVECTORSZ=\d+/.exec(promela)
  writeFileSync(join(directory, 'model.pml'), promela)
  execFileSync('spin', ['-a', ...(handWritten ? handWritten.defines : ['-o1', '-o2', '-o3']), 'model.pml'], { cwd: directory, stdio: 'ignore' })
  execFileSync('gcc', ['-O2', '-w', '-fwrapv', '-DSAFETY', '-DNOREDUCE', ...(vector ?? []), '-o', 'pan', 'pan.c'], { cwd: directory })
  const compileSeconds = Number(process.hrtime.bigint() - started) / 1e9
  const pan = (depth: number): string => spawnSync('./pan', [`-m${depth}`, '-w23'], { cwd: directory, encoding: 'utf8', maxBuffer: 1 << 26 }).stdout
  // SPIN allots its stack beforehand and clears it: no more than this search needs is asked for.
  let depth = 1_000_000
  for (let output = pan(depth); /max search depth too small/.test(output); output = pan(depth)) depth *= 8
  return {
    run() {
      const output = pan(depth)
      if (/max search depth too small/.test(output)) throw new Error(`pan: max search depth too small\n${output}`)
      const found = (pattern: RegExp): number => Number(pattern.exec(output)?.[1])
      return {
        states: found(/(\d+) states, stored/) - extra,
        transitions: found(/(\d+) transitions \(/) - 1 - extra,
        seconds: found(/elapsed time ([\d.]+) seconds/),
        // Without SPIN's depth-first stack, which would be most of it and which it could be spared.
        bytes: (found(/([\d.]+)\s+actual memory usage for states/) + found(/([\d.]+)\s+memory used for hash table/)) * 2 ** 20,
        compileSeconds,
      }
    },
  }
}

/** Searches in a fresh process with this many workers. */
export function measureOurs(scenario: string, jobs: number, kernel = KERNEL): Measured {
  const child = fileURLToPath(new URL('./search-once.js', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, [child, scenario, kernel, String(jobs)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Measured
}
