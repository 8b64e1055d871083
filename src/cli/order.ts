/** `putpage order`: which changes can land first, and which must land together. */
import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { Agenda, type Item } from '../order/agenda.ts'
import { answerFor, setsToSearchWhole } from '../order/answer.ts'
import { cutsOf, type Element, elementsOf } from '../order/element.ts'
import { type Found, Judgement } from '../order/judgement.ts'
import { members } from '../order/lattice.ts'
import { SwitchBits } from '../order/switch-bits.ts'
import type { Evidence, Trace } from '../report/evidence.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { type OrderFacts, renderOrder } from '../report/order.ts'
import { renderDot } from '../report/order-dot.ts'
import { type Answers, orderReport, traceKey } from '../report/order-json.ts'
import { Failure } from './failure.ts'
import { type Selection, select, suggestion } from './models.ts'
import { OrderCache, PrintedCache } from './order-cache.ts'
import { type OrderSource, searchWith } from './order-pool.ts'
import type { OrderAnswer, OrderQuestion } from './order-worker.ts'
import { positive, several } from './search-options.ts'
import { outputColour, outputWidth } from './terminal.ts'

interface OrderFlags {
  readonly json?: boolean
  readonly dot?: boolean
  readonly from: string
  readonly to?: string
  readonly add: readonly string[]
  readonly only: readonly string[]
  readonly cut?: string
  readonly jobs?: number
  readonly maxStates: number
  readonly cache: boolean
}

const MOST_STATES = 1_000_000

export function addOrder(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('order')
    .description('which of the nine changes can land first, which must land together, and what each set breaks and repairs')
    .option('--from <kernel>', 'the kernel they land on', 'v5.10')
    .option('--to <kernel>', 'only changes that this kernel has')
    .option('--add <change>', 'a change of changes/ that is not one of the nine; may be repeated', several, [])
    .option('--only <change>', 'order these changes or parts only; may be repeated', several, [])
    .option('--cut <name>', 'one way to cut the changes (default: all of them)')
    .option('--jobs <n>', 'worker threads (default: all cores; the answer is the same)', positive)
    .option('--max-states <n>', 'most states of one search; beyond it a set is undecided', positive, MOST_STATES)
    .option('--no-cache', 'search everything again, and keep nothing')
    .option('--dot', 'the lattice as DOT, for graphviz')
    .option('--json', 'as JSON (format putpage-order/1)')
    .addHelpText(
      'after',
      `
A set of changes is safe if nothing fails with it that does not fail without any. What was searched before is kept on disk
(XDG_CACHE_HOME, or ~/.cache, in putpage/), and is used as long as model and checker are the same.
Exit code: 0 every set was decided, 2 wrong usage or a model that does not compile, 3 some set was not decided.

Examples:
  putpage order
  putpage order --from v6.1 --to v7.3
  putpage order --add my-change                        with a change of yours: docs/your-own-change.md
  putpage order --only no-devmap-bit,no-special-bit
  putpage order --dot --cut 'by kind' | dot -Tsvg > order.svg`,
    )
    .action(async (flags: OrderFlags) => finish(await order(flags)))
}

async function order(flags: OrderFlags): Promise<ExitCode> {
  const { jobs, cache: useCache, ...question } = flags
  const cache = useCache ? new PrintedCache({ ...question, colour: outputColour(), width: outputWidth() }) : undefined
  const printed = cache?.read()
  if (printed) {
    process.stdout.write(printed.output)
    return printed.code
  }
  const selection = select([])
  const { model } = selection
  const base = model.kernels.find(({ name }) => name === flags.from)
  const names = model.kernels.map(({ name }) => name)
  for (const kernel of [flags.from, ...(flags.to === undefined ? [] : [flags.to])])
    if (!names.includes(kernel)) throw new Failure(`there is no kernel '${kernel}'.${suggestion(kernel, names)} The kernels: ${names.join(', ')}`)
  const has = new Set(base?.has ?? [])
  const changes = changesOf(selection, flags.add)
  const cuts = cutsOf(model.proposals, changes)
  if (flags.cut !== undefined && !cuts.includes(flags.cut)) throw new Failure(`there is no cut '${flags.cut}'. The cuts: ${cuts.join(', ')}`)
  const target = flags.to === undefined ? undefined : new Set(model.kernels.find(({ name }) => name === flags.to)?.has)
  const chosen = (flags.cut === undefined ? cuts : [flags.cut]).map((cut) => ({
    cut,
    elements: elementsOf(model.proposals, changes, cut)
      .map((element): Element => ({ ...element, switches: element.switches.filter((name) => !has.has(name)) }))
      .filter(({ switches }) => switches.length > 0 && (target === undefined || switches.every((name) => target.has(name))))
      .filter(({ id, change }) => flags.only.length === 0 || flags.only.includes(id) || flags.only.includes(change)),
  }))
  for (const name of flags.only)
    if (!chosen.some(({ elements }) => elements.some(({ id, change }) => id === name || change === name)))
      throw new Failure(
        `'${name}' is not among the changes to be ordered: ${[...new Set(chosen.flatMap(({ elements }) => elements.map(({ id }) => id)))].join(', ')}`,
      )
  if (chosen.every(({ elements }) => elements.length === 0)) throw new Failure(`${flags.from} has all of these changes: there is nothing to order`)
  const cutsFound = await new Search(selection, flags, has, chosen).run()
  if (cutsFound === undefined) return 3
  const { answers, facts } = cutsFound
  const code = answers.some(({ strict, allowing }) => strict.undecided + (allowing?.undecided ?? 0) > 0) ? 3 : 0
  process.stdout.write(rendered(flags, answers, facts))
  cache?.write({ code, output: rendered(flags, answers, { ...facts, searches: 0, states: 0, seconds: 0 }) })
  return code
}

function rendered(flags: OrderFlags, answers: readonly Answers[], facts: OrderFacts): string {
  if (flags.json) return `${JSON.stringify(orderReport(answers, facts), null, 2)}\n`
  if (flags.dot) return answers.map(({ strict }) => renderDot(strict)).join('\n')
  return `${renderOrder(answers, facts, { colour: outputColour(), width: outputWidth() })}\n`
}

/** The changes of the mail, and those added. */
function changesOf({ model }: Selection, add: readonly string[]): string[] {
  for (const name of add)
    if (!model.proposals.has(name))
      throw new Failure(
        `there is no change '${name}' in changes/.${suggestion(name, [...model.proposals.keys()])} docs/your-own-change.md says how to write one.`,
      )
  return [...model.proposals].filter(([name, { of_the_mail }]) => of_the_mail === true || add.includes(name)).map(([name]) => name)
}

/** One cut with all its sets. */
interface Cut {
  readonly cut: string
  readonly elements: readonly Element[]
  /** The switches of a set of elements, as bits. */
  readonly bitsOf: (set: number) => number
}

class Search {
  private readonly flags: OrderFlags
  private readonly has: ReadonlySet<string>
  private readonly cuts: readonly Cut[]
  private readonly bits: SwitchBits
  private readonly scenarios: readonly ScenarioDeclaration[]
  private readonly known = new Map<string, OrderAnswer[]>()
  private readonly fresh = new Set<string>()
  private searches = 0
  private states = 0

  constructor(selection: Selection, flags: OrderFlags, has: ReadonlySet<string>, cuts: readonly Pick<Cut, 'cut' | 'elements'>[]) {
    this.flags = flags
    this.has = has
    this.bits = new SwitchBits(cuts.flatMap(({ elements }) => elements.flatMap(({ switches }) => switches)))
    this.cuts = cuts
      .filter(({ elements }) => elements.length > 0)
      .map(({ cut, elements }) => ({ cut, elements, bitsOf: (set) => members(set).reduce((bits, i) => bits | this.bits.of(elements[i].switches), 0) }))
    const all = new Set([...has, ...this.bits.names])
    this.scenarios = selection.scenarios.filter((one) => !one.deep && this.applies(one, all))
  }

  /** Undefined if it was interrupted. */
  async run(): Promise<{ answers: Answers[]; facts: OrderFacts } | undefined> {
    const cache = this.flags.cache ? new OrderCache(this.flags.from, this.flags.maxStates) : undefined
    for (const { name, file } of this.scenarios) this.known.set(name, cache?.read(file.fileName) ?? [])
    const started = process.hrtime.bigint()
    const finished = await this.decide()
    const judged = finished ? this.cuts.map((cut) => ({ cut, strict: this.judgement(cut), allowing: this.judgement(cut, cut.bitsOf(fullOf(cut))) })) : []
    const answers = judged.map(({ cut, strict, allowing }): Answers => {
      const { failures } = strict.introduced(cut.bitsOf(fullOf(cut)))
      const { elements, bitsOf } = cut
      const answer = answerFor(cut.cut, elements, strict, bitsOf, [])
      return failures.length === 0 ? { strict: answer } : { strict: answer, allowing: answerFor(cut.cut, elements, allowing, bitsOf, failures) }
    })
    const traces = finished ? await this.traces(answers) : undefined
    if (cache) this.keep(cache)
    if (!traces) {
      process.stderr.write(`interrupted: ${this.searches} searches were made${cache ? ', and are kept: the next run goes on from here' : ''}\n`)
      return undefined
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9
    const { from, to } = this.flags
    return { answers, facts: { from, to, scenarios: this.scenarios.length, searches: this.searches, states: this.states, seconds, traces } }
  }

  private judgement({ elements, bitsOf }: Cut, destination?: number): Judgement<Evidence> {
    const sets = Array.from({ length: 2 ** elements.length }, (_, set) => bitsOf(set))
    const judgement = new Judgement<Evidence>(
      this.scenarios.map(({ name }) => name),
      sets,
      (scenario, bits) => this.applies(this.scenarios[scenario], new Set([...this.has, ...this.bits.namesOf(bits)])),
      destination,
    )
    for (const answer of [...this.known.values()].flat()) for (const found of this.foundOf(answer)) judgement.take(found)
    return judgement
  }

  /** Searches until every set of every cut is decided; false if it was interrupted. */
  private async decide(): Promise<boolean> {
    const judgements = this.cuts.map((cut) => ({ cut, judgement: this.judgement(cut, cut.bitsOf(fullOf(cut))) }))
    const first: Item[] = []
    const later: Item[] = []
    for (const { cut, judgement } of judgements) {
      const item = (bits: number, whole: boolean): Item => ({ bits, whole, needed: (scenario) => judgement.needs(bits, scenario, whole) })
      first.push(item(0, true), item(cut.bitsOf(fullOf(cut)), true))
      later.push(...setsToSearchWhole(cut.elements).map((set) => item(cut.bitsOf(set), true)))
      const all = Array.from({ length: fullOf(cut) + 1 }, (_, set) => set).sort((a, b) => members(a).length - members(b).length || a - b)
      later.push(...[...new Set(all.map(cut.bitsOf))].map((bits) => item(bits, false)))
    }
    const agenda = new Agenda(this.scenarios.length, [...first, ...later])
    const started = Date.now()
    return this.ask({
      next: (worker) => {
        const question = agenda.next(worker)
        if (!question) return undefined
        const { name } = this.scenarios[question.scenario]
        say(`${agenda.done} of ${this.scenarios.length} situations, ${this.searches} searches, ${((Date.now() - started) / 1000).toFixed(0)} s: ${name}`)
        return { scenario: name, on: this.bits.namesOf(question.bits) }
      },
      take: (answer) => {
        this.note(answer)
        for (const found of this.foundOf(answer)) for (const { judgement } of judgements) judgement.take(found)
      },
    })
  }

  /** The steps of what the smallest unsafe sets break; undefined if it was interrupted. */
  private async traces(answers: readonly Answers[]): Promise<OrderFacts['traces'] | undefined> {
    const wanted = new Map<string, OrderQuestion>()
    for (const { strict, allowing } of answers) {
      for (const { reason } of [...strict.minimalUnsafe, ...(allowing?.minimalUnsafe ?? [])]) {
        if (reason.evidence.kind !== 'vacuous') wanted.set(traceKey(reason), { scenario: reason.scenario, on: reason.found.on, trace: reason.check })
      }
    }
    const traces = new Map<string, Trace>()
    const key = ({ scenario, on }: OrderAnswer, { check }: Trace): string => traceKey({ scenario, check, found: { on } })
    for (const answer of [...this.known.values()].flat()) if (answer.trace) traces.set(key(answer, answer.trace), answer.trace)
    const pending = [...wanted].flatMap(([name, question]) => (traces.has(name) ? [] : [question]))
    if (pending.length === 0) return traces
    const total = pending.length
    const finished = await this.ask({
      next: () => {
        const question = pending.pop()
        if (question) say(`traces: ${total - pending.length} of ${total}: ${question.scenario}`)
        return question
      },
      take: (answer) => {
        this.note(answer)
        if (answer.trace) traces.set(key(answer, answer.trace), answer.trace)
      },
    })
    return finished ? traces : undefined
  }

  private async ask(source: OrderSource): Promise<boolean> {
    const files = this.scenarios.map(({ file }) => file.fileName)
    const start = { files, kernel: this.flags.from, maxStates: this.flags.maxStates, inputs: this.bits.names }
    const finished = await searchWith(this.flags.jobs ?? availableParallelism(), start, source)
    say('')
    return finished
  }

  private note(answer: OrderAnswer): void {
    this.searches++
    this.states += answer.states
    this.known.get(answer.scenario)?.push(answer)
    this.fresh.add(answer.scenario)
  }

  /** Nothing for a search kept from an order of other changes: it may say nothing of these. */
  private foundOf({ scenario, on, switchesRead, failures, incomplete, trace }: OrderAnswer): Found<Evidence>[] {
    if (trace || on.some((name) => switchesRead.includes(name) && !this.bits.names.includes(name))) return []
    const read = this.bits.of(switchesRead)
    const evidence = new Map(failures.map((one) => [one.check, one.evidence]))
    return [{ scenario, on, read, values: this.bits.of(on) & read, failures: evidence, ...(incomplete === undefined ? {} : { incomplete }) }]
  }

  private applies({ needs, kernels }: ScenarioDeclaration, on: ReadonlySet<string>): boolean {
    const has = needs.every((name) => on.has(name))
    if (needs.length > 0 && has) return true
    return kernels.length === 0 ? has : kernels.includes(this.flags.from)
  }

  private keep(cache: OrderCache): void {
    for (const { name, file } of this.scenarios) {
      if (!this.fresh.has(name)) continue
      const failed = cache.write(file.fileName, this.known.get(name) ?? [])
      if (failed === undefined) continue
      process.stderr.write(`what was searched cannot be kept: ${failed}\n`)
      return
    }
  }
}

function fullOf({ elements }: Cut): number {
  return 2 ** elements.length - 1
}

function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
