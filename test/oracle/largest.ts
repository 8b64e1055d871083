/**
 * `npm run oracle [-- scenario@kernel ...]`: SPIN, an explorer written by others, and ours search the same scenarios whole
 * (grain access, every reduction off). States, transitions and the verdict of every check must be the same; of a livelock,
 * which is a property of cycles under fairness, SPIN is not asked.
 *
 * Without names: the six largest scenarios below 20 million states, by one kernel each. Of device-evict-and-fault-on-tail, with few states for its 170,000 lines,
 * SPIN's reading took most of 16 minutes, beside other work.
 * Needs spin, about 4 GB, and tcc or gcc: tcc takes a second where gcc takes minutes.
 */
import { searchAll } from '../../src/engine/explore.ts'
import { Limits } from '../../src/engine/limits.ts'
import { toPromela } from '../../src/export/promela.ts'
import { compile } from '../../src/index.ts'
import type { Program } from '../../src/ir/program.ts'
import { QUICK, runSpin, type SpinOptions } from '../export/spin.ts'

/** Counted by `putpage check --deep --grain access --json`. */
const LARGEST = [
  'truncate-against-three-fsyncs-and-three-pins@v5.10',
  'truncate-against-three-pins-and-fault@v5.10',
  'truncate-of-two-pages-against-two-fsyncs-and-four-pins@v6.1',
  'three-device-faults-and-eviction@v6.12',
  'device-evict-and-fault-on-tail@v7.3',
  'device-fault-migration-and-dontneed@v5.18',
]

interface Found {
  readonly states: number
  readonly transitions: number
  readonly failed: readonly string[]
}

async function ours(program: Program): Promise<Found> {
  const { states, transitions, findings, limit } = await searchAll(program, { jobs: 2 }, new Limits({}), {})
  if (limit !== undefined) throw new Error(`our search was not whole: ${JSON.stringify(limit)}`)
  const failed = program.checks.flatMap(({ id, kind }, check) => (kind === 'livelock' || findings.failedAt[check] === undefined ? [] : [id]))
  return { states, transitions, failed: failed.sort() }
}

/** Lines of a text that reports which SPIN takes a quarter of an hour to read: it looks each name up among all blocks of C code before it. */
const TOO_LONG = 100_000

function theirs(program: Program, ours: readonly string[]): Found {
  // The text that reports has states of its own where a path ends: it is not the one to count by.
  const options = { ...QUICK, depth: 20_000_000 }
  const counted = runSpin(toPromela(program), options)
  const reporting = toPromela(program, { check: 'all' })
  const failed = reporting.split('\n').length > TOO_LONG ? asserted(program, ours, options) : runSpin(reporting, options).failed
  return { states: counted.states, transitions: counted.transitions, failed }
}

/** What fails by assertions, without C code in the text: each check of ours by itself, then all others at once. */
function asserted(program: Program, ours: readonly string[], options: SpinOptions): string[] {
  const fails = (check: string | readonly string[]): boolean => runSpin(toPromela(program, { check }), options).errors > 0
  const others = program.checks.filter(({ id, kind }) => kind !== 'livelock' && !ours.includes(id)).map(({ id }) => id)
  return [...ours.filter(fails), ...(fails(others) ? [`one of ${others.length} others`] : [])]
}

function told({ states, transitions, failed }: Found): string {
  return `${states.toLocaleString('en').padStart(12)} states ${transitions.toLocaleString('en').padStart(12)} transitions   fails: ${failed.length === 0 ? 'nothing' : failed.join(', ')}`
}

if (QUICK.compiler === 'gcc') console.log('tcc is not installed: gcc compiles pan, which takes minutes where there is much code.')
const asked = process.argv.slice(2)
for (const one of asked.length > 0 ? asked : LARGEST) {
  const [scenario, kernel] = one.split('@')
  const program = compile(scenario, { kernel })
  const found = await ours(program)
  const spin = theirs(program, found.failed)
  // A transition that a fatal check ends leads nowhere: ours is counted, SPIN does not take it.
  const ends = found.failed.some((id) => program.checks.some((check) => check.id === id && check.fatal))
  const same =
    found.states === spin.states &&
    (ends ? found.transitions >= spin.transitions : found.transitions === spin.transitions) &&
    found.failed.join() === spin.failed.join()
  console.log(`${one}: ${same ? 'the same' : 'NOT THE SAME'}\n  putpage ${told(found)}\n  SPIN    ${told(spin)}`)
  if (!same) process.exitCode = 1
}
