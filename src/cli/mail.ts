/** `putpage mail`, the main job: what the mail of November 2021 asks, answered by the checker. */
import type { Command } from 'commander'
import { compareKernels, type FailureAt, headlines } from '../report/answer.ts'
import { combineExitCodes, type ExitCode } from '../report/exit-code.ts'
import { renderCounterexample } from '../report/lanes.ts'
import { renderMatrix } from '../report/matrix.ts'
import type { Run } from '../report/run.ts'
import { runAll, type Task } from './batch.ts'
import { reproducingCommand } from './command-line.ts'
import { kernelsFor, select } from './models.ts'
import { outputColour, outputWidth } from './terminal.ts'

const BEFORE = 'v5.10'
const POSTED = 'v5.15+seed'
const LANDED = ['v6.1', 'v7.3']
/** What the mail names: "this caused xftests 413 to fail with a warning". */
const TEST_413 = 'gup-of-mapped-dax'

/** The situations of the paths that the mail's patch touches; `putpage check` takes all. */
const CHOSEN = [
  'allocation-and-driver-remove',
  'dax-fault-against-truncate',
  'device-evict-and-allocation',
  'device-evict-and-fault',
  'device-fault-and-dontneed',
  'device-fault-migration-and-dontneed',
  'device-migration-and-fault',
  'driver-remove-and-exit',
  'driver-remove-of-mapped-page',
  'fork-against-truncate',
  'fork-and-eviction',
  'fork-of-device-entry',
  'gup-of-device-page',
  'gup-of-mapped-dax',
  'memunmap-of-allocated-page',
  'migration-of-shared-page',
  'pin-and-fork',
  'pin-of-device-page',
  'refault-while-truncate-waits',
  'truncate-against-direct-io',
  'truncate-against-fsync',
  'truncate-against-gup-slow',
  'truncate-against-gup',
  'truncate-against-pin-and-fault',
  'truncate-against-pin',
  'truncate-against-release-pages',
  'truncate-against-vmsplice',
  'truncate-of-two-pinned-pages-ext4',
  'truncate-of-two-pinned-pages-fuse',
  'truncate-of-two-pinned-pages-xfs',
  'truncate-of-unmapped-pinned-page',
  'two-dax-faults',
  'two-device-faults-and-eviction',
  'two-device-faults',
  'two-migrations-of-shared-page',
  'unbind-against-pinned-device-dax-page',
  'unbind-against-pinned-fsdax-page',
  'unlink-of-pinned-file',
]

export function addMail(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('mail')
    .description('answer the mail of November 2021: the kernel before, the patch as posted, and what landed')
    .addHelpText('after', '\nThis is what `npm start` runs. It exits 0 when every search was complete.')
    .action(async () => finish(await answer()))
}

async function answer(): Promise<ExitCode> {
  const out = (text = ''): void => void process.stdout.write(`${text}\n`)
  const look = { colour: outputColour(), width: outputWidth() }
  out('[PATCH v1 0/2] Remove extra ZONE_DEVICE page refcount, 15 November 2021: can it land as posted?')
  out()
  const started = process.hrtime.bigint()
  const runs = await searchAll()
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  if (runs.length === 0) return 3
  const states = runs.reduce((sum, { exploration }) => sum + exploration.states, 0)
  const incomplete = runs.filter(({ exploration }) => exploration.verdict === 'inconclusive')
  const scenarios = new Set(runs.map(({ exploration }) => exploration.program.scenario)).size

  const posted = compareKernels(runs, BEFORE, POSTED)
  const verdict = posted.introduces.length > 0 ? 'No.' : incomplete.length > 0 ? 'Not known: a search was not complete.' : 'Nothing here speaks against it.'
  out(`${verdict} putpage tried every interleaving of ${scenarios} situations on four kernels`)
  out(`(${runs.length} searches, ${states.toLocaleString('en')} states, ${seconds.toFixed(0)} s):`)
  out(`  before   ${BEFORE}       every device page rests at count 1`)
  out(`  posted   ${POSTED}  the same with the two patches; a reconstruction`)
  out(`  landed   ${LANDED.join(', ')}  what was merged in its place, in steps`)
  out()
  list(out, `As posted, these go wrong that did not go wrong on ${BEFORE}:`, posted.introduces)
  list(out, `As posted, these no longer go wrong:`, posted.repairs)
  const shown = posted.introduces.find(({ scenario }) => scenario === TEST_413) ?? posted.introduces[0]
  if (shown) {
    out(`The shortest way to see it (${shown.about}):`)
    out()
    const { program, grain } = shown.run.exploration
    out(renderCounterexample(shown.run, shown.failure.verdict, { ...look, command: reproducingCommand(program, program.scenario, grain) }))
    out()
  }
  const [first, last] = LANDED
  list(out, `What landed by ${first} goes wrong where ${BEFORE} did not:`, compareKernels(runs, BEFORE, first).introduces)
  list(out, `What landed by ${last} goes wrong where ${first} did not:`, compareKernels(runs, first, last).introduces)
  list(out, `What landed by ${last} repairs of ${first}:`, compareKernels(runs, first, last).repairs)
  out(renderMatrix(runs, { ...look, kernels: [BEFORE, POSTED, ...LANDED] }))
  out()
  out('Each cell is the worst kind of failure, or pass: a complete search found none.')
  out('`putpage check SCENARIO --kernel K` prints its shortest interleaving; `putpage list` says what each is about.')
  for (const { exploration } of incomplete)
    out(`inconclusive: ${exploration.program.scenario} on ${exploration.program.kernel}: ${exploration.limit ?? 'not complete'}`)
  // The question is answered when every search was complete, whatever the answer.
  return combineExitCodes(incomplete.map((): ExitCode => 3))
}

function list(out: (text?: string) => void, title: string, failures: readonly FailureAt[]): void {
  if (failures.length === 0) return
  out(title)
  for (const { name, kind, scenarios, others } of headlines(failures)) {
    out(`  ${name === kind ? kind : `${kind}: ${name}`}${others > 0 ? ` (and ${others} more)` : ''}`)
    const [one, two, ...more] = scenarios
    out(`      in ${[one, ...(two === undefined ? [] : [two])].join(', ')}${more.length > 0 ? ` and ${more.length} more` : ''}`)
  }
  out()
}

async function searchAll(): Promise<Run[]> {
  const selection = select(CHOSEN)
  const tasks = selection.scenarios
    // The mail's subject: situations that the kernel before it, or the patch, can be in.
    .filter((scenario) => scenario.kernels.length === 0 || scenario.kernels.includes(BEFORE) || scenario.kernels.includes(POSTED))
    .flatMap((scenario) =>
      kernelsFor(selection.model, scenario, [])
        .filter((kernel) => kernel !== undefined && [BEFORE, POSTED, ...LANDED].includes(kernel))
        .map((kernel): Task => ({ scenario, kernel })),
    )
  return runAll(selection, tasks, { with: [], without: [], explore: {} })
}
