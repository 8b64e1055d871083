/**
 * `npm run bench`: the explorer beside SPIN on the same state graphs (grain access, every reduction off), in one run.
 * Whole searches, the median of alternating runs; compile times apart. The ratios are what counts: the machine is shared
 * by both.
 *
 * `npm run bench -- --trace FILE...`: the trace auditor beside trace-cmd report, see trace.ts.
 */
import { cpus } from 'node:os'
import { type HandWritten, type Measured, measureOurs, prepareSpin } from './measure.ts'
import { benchTrace } from './trace.ts'

/** `npm run bench -- 1` for a quick look. */
const RUNS = Number(process.argv[2] ?? 5)
const MODELS: readonly { readonly name: string; readonly scenario: string; readonly kernel?: string; readonly handWritten?: HandWritten }[] = [
  {
    name: 'pageref, 3 CPUs, 4 pages (SPIN: hand-written)',
    scenario: 'test/models/pageref-4.ts',
    handWritten: { file: 'test/export/pageref.pml', defines: ['-DNPROC=3', '-DNPAGE=4'], extra: 1 },
  },
  // Many states and little code: gcc takes minutes for the code of an exported scenario, and far longer than in proportion.
  { name: 'truncate-against-three-fsyncs-and-three-pins, v5.10', scenario: 'truncate-against-three-fsyncs-and-three-pins', kernel: 'v5.10' },
  { name: 'truncate-of-two-pages-against-two-fsyncs-and-four-pins, v6.1', scenario: 'truncate-of-two-pages-against-two-fsyncs-and-four-pins' },
]

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

if (process.argv[2] === '--trace') await benchTrace(process.argv.slice(3))
else benchSearch()

function benchSearch(): void {
  const cores = cpus().length
  console.log(`${cpus()[0].model}, ${cores} cores, Node ${process.versions.node}; median of ${RUNS} alternating runs\n`)
  for (const { name, scenario, kernel, handWritten } of MODELS) {
    const spin = prepareSpin(scenario, kernel, handWritten)
    const spins: Measured[] = []
    const ones: Measured[] = []
    const alls: Measured[] = []
    for (let i = 0; i < RUNS; i++) {
      spins.push(spin.run())
      ones.push(measureOurs(scenario, 1, kernel))
      alls.push(measureOurs(scenario, cores, kernel))
    }
    if (ones[0].states !== spins[0].states || ones[0].transitions !== spins[0].transitions) {
      console.log(
        `${name}: the graphs differ: SPIN ${spins[0].states} states, ${spins[0].transitions} transitions; ours ${ones[0].states}, ${ones[0].transitions}`,
      )
      process.exitCode = 1
    }
    const line = (who: string, runs: readonly Measured[]): { rate: number; bytes: number } => {
      const seconds = median(runs.map((run) => run.seconds))
      const bytes = median(runs.map((run) => run.bytes)) / runs[0].states
      const rate = runs[0].states / seconds
      const compile = median(runs.map((run) => run.compileSeconds))
      console.log(
        `  ${who.padEnd(20)} ${seconds.toFixed(2).padStart(7)} s  ${(rate / 1e6).toFixed(2).padStart(6)} M states/s  ${bytes.toFixed(1).padStart(6)} bytes/state  (compile ${compile.toFixed(1)} s)`,
      )
      return { rate, bytes }
    }
    console.log(`${name}: ${ones[0].states.toLocaleString('en')} states, ${ones[0].transitions.toLocaleString('en')} transitions`)
    const theirs = line('SPIN, 1 core', spins)
    const one = line('putpage, 1 worker', ones)
    const all = line(`putpage, ${cores} workers`, alls)
    console.log(
      `  ratio to SPIN: ${(one.rate / theirs.rate).toFixed(1)} on one core, ${(all.rate / theirs.rate).toFixed(1)} on ${cores}; memory ${(one.bytes / theirs.bytes).toFixed(2)}, ${(all.bytes / theirs.bytes).toFixed(2)}\n`,
    )
  }
}
