/** `npm run mutate`: does some verdict change when a step of the model is left out or misplaced? */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { packageRoot } from '../../src/cli/files.ts'
import { Prng } from '../../src/engine/prng.ts'
import { Agenda } from './agenda.ts'
import { readExplanations } from './explanations.ts'
import { targetsOfModel } from './laboratory.ts'
import { allMutants, contentHash, type Imports, importsOf, readText } from './model-files.ts'
import { type Mutant, mutantKey } from './operators.ts'
import { askAll } from './pool.ts'
import { DIFFSTAT, type Judged, summarise } from './report.ts'
import { type Known, ResultStore, targetName } from './store.ts'

/** What the results follow from, beside the scenarios. */
const OWN = ['classes', 'operators', 'weave', 'laboratory', 'quick-verdict', 'model-files'].map((name) => `test/mutation/${name}.ts`)
const DEPENDS_ON = ['kernel', 'src/ir', 'src/engine', 'src/lang', ...OWN]

interface Flags {
  readonly file: readonly string[]
  readonly diffstat?: boolean
  readonly sample?: number
  readonly seed: number
  readonly jobs: number
  readonly minutes: number
  readonly maxStates: number
}

function whole(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('a whole number is needed.')
  return number
}

const command = new Command('mutate')
  .description('mutation score of kernel/: how many steps can be taken out or misplaced without any verdict changing')
  .option(
    '--file <path>',
    'only this file of kernel/, as kernel/mm/swap.ts; may be repeated',
    (value: string, before: readonly string[]) => [...before, value],
    [],
  )
  .option('--diffstat', "only the files of the mail's diffstat")
  .option('--sample <n>', 'only so many mutants, chosen at random', whole)
  .option('--seed <n>', 'seed of the choice', whole, 1)
  .option('--jobs <n>', 'worker threads', whole, availableParallelism())
  .option('--minutes <n>', 'end after so long; the next run goes on from there', whole, Infinity)
  .option('--max-states <n>', 'most states of a search', whole, 150_000)
  .action(mutate)

async function mutate(flags: Flags): Promise<void> {
  const all = allMutants()
  const chosen = choose(all, flags)
  if (chosen.length === 0) throw new Error(`no mutants in ${flags.file.join(', ')}: a file of kernel/ is named as kernel/mm/swap.ts`)
  const targets = targetsOfModel()
  const scenarios = [...new Set(targets.map(({ scenario }) => scenario))]
  const store = new ResultStore(contentHash(DEPENDS_ON), new Map(scenarios.map((name) => [name, contentHash([`scenarios/${name}.ts`])])))
  const known = (nth: number): Known => store.of(mutantKey(all[nth]))
  const imports = new Map(scenarios.map((name) => [name, importsOf(`scenarios/${name}.ts`)]))
  const importsBy = (scenario: string): Imports => imports.get(scenario) as Imports
  const agenda = new Agenda(
    targets,
    chosen.map((nth) => ({
      nth,
      file: all[nth].file,
      killer: store.killers.get(mutantKey(all[nth])),
      decided: () => known(nth).killed !== undefined || known(nth).refused !== undefined,
      asked: (target) => known(nth).asked.has(targetName(target)),
    })),
    importsBy,
  )
  let interrupted = false
  process.once('SIGINT', () => {
    interrupted = true
    process.stderr.write('\nends with the searches in hand; Ctrl-C again to leave them\n')
  })
  const progress = new Progress()
  let saved = 0
  await askAll(
    Math.max(1, flags.jobs),
    { maxStates: flags.maxStates, chosen },
    () => (interrupted || progress.seconds > 60 * flags.minutes ? undefined : agenda.next()),
    ({ target }, { words }) => {
      for (const [nth, word] of words) store.note(mutantKey(all[nth]), target, word)
      const open = chosen.filter((nth) => known(nth).killed === undefined && known(nth).refused === undefined).length
      progress.say(`${open} of ${chosen.length} mutants live, ${agenda.left} of ${targets.length} searches not begun: ${targetName(target)}`)
      if (progress.seconds < saved + 20) return
      saved = progress.seconds
      store.save()
    },
  )
  store.save()
  progress.say('')
  const judged = chosen.map(
    (nth): Judged => ({
      mutant: all[nth],
      ...fateOf(known(nth), targets.filter(({ scenario }) => importsBy(scenario).all.has(all[nth].file)).map(targetName)),
    }),
  )
  const path = 'docs/mutants.md'
  const explanations = existsSync(join(packageRoot(), path)) ? readExplanations(readText(path)) : new Map<string, string>()
  const { text, ok } = summarise(judged, explanations, chosen.length === all.length)
  const part = chosen.length === all.length ? '' : ` (of ${all.length})`
  process.stdout.write(
    `${chosen.length} mutants${part}, ${targets.length} scenarios and kernels to tell them by, ${progress.seconds.toFixed(0)} s\n\n${text}\n`,
  )
  process.exitCode = judged.some(({ fate }) => fate === 'unfinished') ? 3 : ok ? 0 : 1
}

/** What became of a mutant that some targets were asked about. */
function fateOf(known: Known, targets: readonly string[]): Pick<Judged, 'fate' | 'how'> {
  if (known.killed) return { fate: 'killed', how: `${known.killed.by}: ${known.killed.how}` }
  if (known.refused !== undefined) return { fate: 'refused', how: known.refused }
  const left = targets.filter((name) => !known.asked.has(name)).length
  if (left > 0) return { fate: 'unfinished', how: `${left} of ${targets.length} searches are not made` }
  if (!known.contained) return { fate: 'unreached', how: 'in no program of any scenario' }
  const limits = known.open.size > 0 ? `; at the limit of states: ${[...known.open].join(', ')}` : ''
  return { fate: 'survived', how: known.same > 0 ? `${known.same} searches come to it and say the same${limits}` : `no search comes to it${limits}` }
}

/** Places of the mutants to be tried. */
function choose(all: readonly Mutant[], { file, diffstat, sample, seed }: Flags): number[] {
  const files = new Set([...file, ...(diffstat ? DIFFSTAT : [])])
  const from = all.flatMap((mutant, nth) => (files.size === 0 || files.has(mutant.file) ? [nth] : []))
  if (sample === undefined || sample >= from.length) return from
  const random = new Prng(seed, 0)
  const drawn = from.map((nth) => ({ nth, key: random.next() })).sort((a, b) => a.key - b.key)
  return drawn
    .slice(0, sample)
    .map(({ nth }) => nth)
    .sort((a, b) => a - b)
}

/** One line on a terminal; in a log a line now and then. */
class Progress {
  private readonly started = performance.now()
  private next = 0

  get seconds(): number {
    return (performance.now() - this.started) / 1000
  }

  say(text: string): void {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${text === '' ? '' : `${this.seconds.toFixed(0)} s: ${text}`.slice(0, (process.stderr.columns ?? 80) - 1)}`)
    else if (text !== '' && this.seconds >= this.next) {
      this.next = this.seconds + 30
      process.stderr.write(`${this.seconds.toFixed(0)} s: ${text}\n`)
    }
  }
}

await command.parseAsync()
