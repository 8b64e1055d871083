/** The searches of `putpage order`: which are made, what is kept, and what follows for each set of changes. */
import { availableParallelism } from 'node:os'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { Agenda, type Item } from '../order/agenda.ts'
import { answerFor, setsToSearchWhole } from '../order/answer.ts'
import type { Element } from '../order/element.ts'
import { type Found, Judgement } from '../order/judgement.ts'
import { type Knowledge, situationFacts } from '../order/knowledge.ts'
import { members } from '../order/lattice.ts'
import { SwitchBits } from '../order/switch-bits.ts'
import type { Evidence, Trace } from '../report/evidence.ts'
import type { Answers, OrderFacts } from '../report/order-facts.ts'
import { traceKey } from '../report/order-json.ts'
import type { Selection } from './models.ts'
import { OrderCache } from './order-cache.ts'
import { type OrderSource, searchWith } from './order-pool.ts'
import type { OrderAnswer, OrderQuestion } from './order-worker.ts'

/** What the searches follow from, beside the changes. */
export interface OrderLimits {
  readonly from: string
  readonly to?: string
  readonly jobs?: number
  readonly maxStates: number
  readonly cache: boolean
}

/** One cut with all its sets. */
interface Cut {
  readonly cut: string
  readonly elements: readonly Element[]
  /** The switches of a set of elements, as bits. */
  readonly bitsOf: (set: number) => number
}

/** Searches until every set of every cut is decided, and puts the answers together. */
export class OrderSearch {
  private readonly flags: OrderLimits
  private readonly has: ReadonlySet<string>
  private readonly cuts: readonly Cut[]
  private readonly bits: SwitchBits
  private readonly scenarios: readonly ScenarioDeclaration[]
  private readonly known = new Map<string, OrderAnswer[]>()
  private readonly fresh = new Set<string>()
  private searches = 0
  private states = 0

  constructor(selection: Selection, flags: OrderLimits, has: ReadonlySet<string>, cuts: readonly Pick<Cut, 'cut' | 'elements'>[]) {
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
    const scenarios = this.scenarios.length
    return { answers, facts: { from, to, scenarios, searches: this.searches, states: this.states, seconds, traces, knowledge: this.knowledge() } }
  }

  /** All that the searches tell, for those who ask of a set later. */
  private knowledge(): Knowledge {
    const situations = this.scenarios.map((scenario) => {
      const missing = this.applies(scenario, this.has) ? [] : scenario.needs.filter((name) => !this.has.has(name))
      const found = (this.known.get(scenario.name) ?? []).flatMap((answer) => this.foundOf(answer))
      return situationFacts(scenario.name, missing, found)
    })
    return { switches: this.bits.names, situations }
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
