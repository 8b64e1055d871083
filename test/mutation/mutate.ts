/** `npm run mutate`: does some verdict change when a step of the model is left out or misplaced? */
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { packageRoot } from '../../src/cli/files.ts'
import { Prng } from '../../src/engine/prng.ts'
import { readExplanations } from './explanations.ts'
import type { Baseline, Outcome, Target } from './laboratory.ts'
import { allMutants, contentHash, readText } from './model-files.ts'
import { type Mutant, mutantKey } from './operators.ts'
import { Pool } from './pool.ts'
import { type Judged, summarise } from './report.ts'
import { ResultStore } from './store.ts'

interface Flags {
  readonly file: readonly string[]
  readonly sample?: number
  readonly seed: number
  readonly jobs: number
  readonly seconds: number
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
  .option('--sample <n>', 'only so many mutants, chosen at random', whole)
  .option('--seed <n>', 'seed of the choice', whole, 1)
  .option('--jobs <n>', 'worker threads', whole, availableParallelism())
  .option('--seconds <n>', 'most time for one mutant', whole, 40)
  .option('--max-states <n>', 'most states of a search', whole, 150_000)
  .action(mutate)

async function mutate(flags: Flags): Promise<void> {
  const all = allMutants()
  const mutants = choose(all, flags)
  if (mutants.length === 0) throw new Error(`no mutants in ${flags.file.join(', ')}: a file of kernel/ is named as kernel/mm/swap.ts`)
  const store = new ResultStore(
    contentHash(['src/ir', 'src/engine']),
    contentHash(['kernel', 'scenarios', 'src/ir', 'src/engine', 'src/lang', 'test/mutation']),
  )
  const budget = { seconds: flags.seconds, maxStates: flags.maxStates }
  const pool = new Pool(Math.max(1, flags.jobs), { budget, verdicts: store.verdicts }, ({ verdicts }) => {
    for (const [hash, verdict] of verdicts) store.verdicts.set(hash, verdict)
  })
  let interrupted = false
  process.once('SIGINT', () => {
    interrupted = true
    process.stderr.write('\nends with the mutants in hand; Ctrl-C again to leave them\n')
  })
  const progress = new Progress()
  try {
    const baselines = store.baselines.length > 0 ? store.baselines : await compileAll(pool, progress, () => !interrupted)
    if (!interrupted) store.baselines = baselines
    store.save()
    await pool.tell({ ask: 'learn', baselines })
    const order = new Order(baselines, store.killers)
    const judged: Judged[] = []
    const open = mutants.filter((mutant) => {
      const known = store.outcomes.get(mutantKey(mutant))
      if (known) judged.push({ mutant, outcome: known })
      return !known
    })
    const count = { killed: 0, lived: 0 }
    await pool.each(
      open,
      (mutant) => ({ ask: 'judge', mutant, order: order.of(mutant) }),
      (mutant, answer) => {
        const outcome = answer.outcome as Outcome
        judged.push({ mutant, outcome })
        store.outcomes.set(mutantKey(mutant), outcome)
        if (outcome.status === 'killed') order.note(mutant, outcome.by)
        count[outcome.status === 'killed' || outcome.status === 'refused' ? 'killed' : 'lived']++
        progress.say(`${judged.length} of ${mutants.length} mutants, ${count.lived} lived: ${mutant.file}:${mutant.line}`)
        if (judged.length % 20 === 0) store.save()
      },
      () => !interrupted,
    )
    store.save()
    progress.say('')
    const place = new Map(mutants.map((mutant, i) => [mutant, i]))
    judged.sort((a, b) => (place.get(a.mutant) ?? 0) - (place.get(b.mutant) ?? 0))
    const path = 'docs/mutants.md'
    const explanations = existsSync(join(packageRoot(), path)) ? readExplanations(readText(path)) : new Map<string, string>()
    const complete = judged.length === all.length
    const { text, ok } = summarise(judged, explanations, complete)
    const part = complete ? '' : ` (of ${all.length})`
    process.stdout.write(`${judged.length} mutants${part}, ${baselines.length} searches to tell them by, ${progress.seconds.toFixed(0)} s\n\n${text}\n`)
    process.exitCode = interrupted ? 3 : ok ? 0 : 1
  } finally {
    pool.end()
  }
}

function choose(all: readonly Mutant[], { file, sample, seed }: Flags): Mutant[] {
  const from = all.filter((mutant) => file.length === 0 || file.includes(mutant.file))
  if (sample === undefined || sample >= from.length) return from
  const random = new Prng(seed, 0)
  const drawn = from.map((mutant) => ({ mutant, key: random.next() })).sort((a, b) => a.key - b.key)
  const chosen = new Set(drawn.slice(0, sample).map(({ mutant }) => mutant))
  return from.filter((mutant) => chosen.has(mutant))
}

/** Compiles every target as it is. */
async function compileAll(pool: Pool, progress: Progress, go: () => boolean): Promise<Baseline[]> {
  const targets = (await pool.first({ ask: 'targets' })).targets ?? []
  const baselines: Baseline[] = []
  await pool.each(
    targets,
    (target: Target) => ({ ask: 'baseline', target }),
    (target, { baseline }) => {
      if (baseline) baselines.push(baseline)
      progress.say(`${baselines.length} of ${targets.length} programs compiled: ${target.scenario} ${target.kernel}`)
    },
    go,
  )
  return baselines
}

/** Which targets to try first: what killed this mutant before, what killed others of the function, then what is quick. */
class Order {
  private readonly baselines: readonly Baseline[]
  private readonly containing = new Map<string, number[]>()
  private readonly killers: Map<string, string>
  private readonly kills = new Map<string, number>()

  constructor(baselines: readonly Baseline[], killers: Map<string, string>) {
    this.baselines = baselines
    this.killers = killers
    baselines.forEach(({ statements }, i) => {
      for (const key of statements) this.containing.set(key, [...(this.containing.get(key) ?? []), i])
    })
  }

  of(mutant: Mutant): number[] {
    const found = [...new Set(mutant.starts.flatMap((start) => this.containing.get(`${mutant.file}:${start}`) ?? []))]
    const before = this.killers.get(mutantKey(mutant))
    const rank = (i: number): number => {
      const { target, nodes } = this.baselines[i]
      const name = nameOf(target)
      const kills = (this.kills.get(`${mutant.file} ${mutant.function} ${name}`) ?? 0) * 4 + (this.kills.get(`${mutant.file} ${name}`) ?? 0)
      return name === before ? Infinity : (1000 * kills) / (500 + nodes) - nodes / 100_000
    }
    return found
      .map((i) => ({ i, rank: rank(i) }))
      .sort((a, b) => b.rank - a.rank || a.i - b.i)
      .map(({ i }) => i)
  }

  note(mutant: Mutant, by: Target): void {
    const name = nameOf(by)
    this.killers.set(mutantKey(mutant), name)
    for (const key of [`${mutant.file} ${mutant.function} ${name}`, `${mutant.file} ${name}`]) this.kills.set(key, (this.kills.get(key) ?? 0) + 1)
  }
}

function nameOf({ scenario, kernel }: Target): string {
  return `${scenario} ${kernel}`
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
