/** What the studio's server answers a page: the model's list, verdicts, counterexamples, the order. No path of a file ever comes from a page. */
import { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { PRESETS } from '../cli/model-rules.ts'
import { kernelsFor, type Selection, select, switchesNamed } from '../cli/models.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import type { RunSummary } from '../report/play.ts'
import type { BookAnswer, BookQuestion } from './book-worker.ts'
import type { SearchNews } from './search-worker.ts'
import { type Question, Searches } from './searches.ts'
import { VerdictCache } from './verdict-cache.ts'

/** Counterexamples kept, packed: some 40 kB each. */
const MOST_KEPT = 600
/** A page asks for no more searches at once. */
const MOST_ASKED = 2000

/** What a page may choose from. */
export interface ModelList {
  readonly scenarios: readonly {
    readonly name: string
    readonly about: string
    readonly bounds: string
    readonly kernels: readonly string[]
    /** With these switched on it makes sense on the other kernels too. */
    readonly needs: readonly string[]
    readonly deep: boolean
    readonly shows: readonly string[]
  }[]
  readonly kernels: readonly { readonly name: string; readonly about: string }[]
  readonly switches: readonly { readonly name: string; readonly effect: string; readonly commit?: string; readonly in: readonly string[] }[]
  /** Changes that may land, each as the switches it turns on: of the mail first. */
  readonly changes: readonly { readonly name: string; readonly about: string; readonly switches: readonly string[] }[]
}

/** One line of the stream of a batch of searches. */
export type BatchNews =
  | { readonly kind: 'progress'; readonly scenario: string; readonly kernel: string; readonly states: number; readonly depth: number; readonly seconds: number }
  | { readonly kind: 'done'; readonly summary: RunSummary }
  | { readonly kind: 'error'; readonly scenario: string; readonly kernel: string; readonly message: string }
  | { readonly kind: 'end'; readonly stopped: boolean }

/** A request that makes no sense: the message is for the person in front of the page. */
export class BadRequest extends Error {}

interface Batch {
  readonly told: BatchNews[]
  readonly listeners: Set<(news: BatchNews) => void>
  readonly stops: (() => void)[]
  left: number
  ended: boolean
}

export class Answers {
  private readonly searches = new Searches()
  private readonly cache = new VerdictCache()
  private readonly summaries = new Map<string, RunSummary>()
  private readonly plays = new Map<string, Uint8Array>()
  private readonly batches = new Map<string, Batch>()
  private batchNumbers = 0
  private books: Worker | undefined
  private readonly bookAsked = new Map<number, (text: string) => void>()
  private bookNumbers = 0
  private selected: Selection | undefined
  private readonly order: object | undefined

  /** `order`: an answer of `putpage order --json`, if there is one. */
  constructor(order: object | undefined) {
    this.order = order
    for (const one of this.cache.read()) {
      const named = (sign: string): string[] => one.changes.filter((change) => change.startsWith(sign)).map((change) => change.slice(1))
      this.summaries.set(keyOf({ scenario: one.scenario, kernel: one.kernel, with: named('+'), without: named('-') }), one)
    }
  }

  private get selection(): Selection {
    this.selected ??= select([])
    return this.selected
  }

  model(): ModelList {
    this.searches.warm()
    return modelList(this.selection)
  }

  verdicts(): RunSummary[] {
    return [...this.summaries.values()]
  }

  orderReport(): object | undefined {
    return this.order
  }

  /** Starts searches; gives the name under which to hear of them. Throws `BadRequest`. */
  start(asked: unknown): string {
    const questions = this.questionsOf(asked)
    const name = `b${this.batchNumbers++}`
    const batch: Batch = { told: [], listeners: new Set(), stops: [], left: questions.length, ended: false }
    this.batches.set(name, batch)
    for (const question of questions) {
      batch.stops.push(
        this.searches.ask(question, (news) => {
          this.keep(question, news)
          const { scenario, kernel } = question
          if (news.kind === 'progress') tell(batch, { kind: 'progress', scenario, kernel, states: news.states, depth: news.depth, seconds: news.seconds })
          else {
            tell(batch, news.kind === 'done' ? { kind: 'done', summary: news.summary } : { kind: 'error', scenario, kernel, message: news.message })
            batch.left--
            if (batch.left === 0) {
              this.cache.write(this.verdicts())
              end(batch, false)
            }
          }
        }),
      )
    }
    if (questions.length === 0) end(batch, false)
    return name
  }

  /** Hears what was and will be told of a batch; undefined if there is none of that name. Returns what ends the hearing. */
  hear(name: string, listener: (news: BatchNews) => void): (() => void) | undefined {
    const batch = this.batches.get(name)
    if (!batch) return undefined
    for (const news of batch.told) listener(news)
    if (batch.ended) return () => {}
    batch.listeners.add(listener)
    return () => {
      batch.listeners.delete(listener)
      // The page went away: nobody waits for the rest.
      if (batch.listeners.size === 0 && !batch.ended) this.stop(name)
    }
  }

  /** Stops a batch; what is not done stays as it was. */
  stop(name: string): boolean {
    const batch = this.batches.get(name)
    if (!batch) return false
    // Those that wait first: else each that is stopped makes room for the next, and a worker is started for it.
    for (const stop of [...batch.stops].reverse()) stop()
    this.cache.write(this.verdicts())
    if (!batch.ended) end(batch, true)
    return true
  }

  /** A counterexample with its program: a document of format putpage-play/1. Searched for if it is not known yet. Throws `BadRequest`. */
  async play(asked: { readonly scenario: string; readonly kernel: string; readonly with: string; readonly without: string }): Promise<string> {
    const list = (text: string): string[] => text.split(',').filter((one) => one !== '')
    const question = this.questionOf({ scenario: asked.scenario, kernel: asked.kernel, with: list(asked.with), without: list(asked.without) })
    const known = this.plays.get(keyOf(question))
    const packed =
      known ??
      (await new Promise<Uint8Array>((resolve, reject) => {
        this.searches.ask(question, (news) => {
          this.keep(question, news)
          if (news.kind === 'done') resolve(news.play)
          else if (news.kind === 'error') reject(new BadRequest(news.message))
        })
      }))
    return gunzipSync(packed).toString('utf8')
  }

  /** What the model says of functions in stacks: a trace read in the page is held to it there. Only names of functions come here. Throws `BadRequest`. */
  async book(asked: unknown): Promise<string> {
    const { kernel, functions = [] } = isRecord(asked) ? asked : {}
    if (typeof kernel !== 'string' || !PRESETS.includes(kernel)) throw new BadRequest(`there is no kernel '${String(kernel)}'`)
    if (!Array.isArray(functions) || functions.length > MOST_ASKED) throw new BadRequest('"functions": expected a list of { name, type }')
    const number = this.bookNumbers++
    return new Promise((resolve) => {
      this.bookAsked.set(number, resolve)
      this.bookWorker.postMessage({
        number,
        kernel,
        functions: functions.filter(isRecord).map(({ name, type }) => ({ name: String(name), type: String(type) })),
      } satisfies BookQuestion)
    })
  }

  /** Gets ready what a page will ask for: loading the model's reader takes a second. */
  warm(): void {
    void this.bookWorker
  }

  private get bookWorker(): Worker {
    if (!this.books) {
      this.books = new Worker(new URL('./book-worker.js', import.meta.url))
      this.books.on('message', ({ number, text }: BookAnswer) => {
        this.bookAsked.get(number)?.(text)
        this.bookAsked.delete(number)
      })
    }
    return this.books
  }

  private keep(question: Question, news: SearchNews): void {
    if (news.kind !== 'done') return
    const key = keyOf(question)
    this.summaries.set(key, news.summary)
    this.plays.delete(key)
    this.plays.set(key, news.play)
    if (this.plays.size > MOST_KEPT) this.plays.delete(this.plays.keys().next().value as string)
  }

  private questionsOf(asked: unknown): Question[] {
    const { runs, with: plus = [], without = [], maxStates } = isRecord(asked) ? asked : {}
    if (!Array.isArray(runs) || runs.length > MOST_ASKED) throw new BadRequest('"runs": expected a list of { scenario, kernel }')
    return runs.map((run) => this.questionOf({ ...(isRecord(run) ? run : {}), with: plus, without, maxStates }))
  }

  /** Only names that the model knows get to a search. */
  private questionOf(asked: Readonly<Record<string, unknown>>): Question {
    const { model, scenarios } = this.selection
    const scenario = scenarios.find(({ name }) => name === asked.scenario)
    if (!scenario) throw new BadRequest(`there is no scenario '${String(asked.scenario)}'`)
    const kernel = model.kernels.find(({ name }) => name === asked.kernel)
    if (!kernel) throw new BadRequest(`there is no kernel '${String(asked.kernel)}'`)
    const names = (value: unknown): string[] => {
      if (!Array.isArray(value) || value.some((one) => typeof one !== 'string')) throw new BadRequest('"with", "without": expected lists of switches')
      try {
        return switchesNamed(model, value as string[])
      } catch (error) {
        throw new BadRequest(error instanceof Error ? error.message : String(error))
      }
    }
    const plus = names(asked.with)
    const without = names(asked.without)
    const has = new Set([...kernel.has, ...plus].filter((name) => !without.includes(name)))
    if (!makesSense(scenario, kernel.name, has)) throw new BadRequest(noSense(scenario, kernel.name))
    const { maxStates } = asked
    if (maxStates !== undefined && (typeof maxStates !== 'number' || !(maxStates > 0))) throw new BadRequest('"maxStates": expected a positive number')
    return {
      scenario: scenario.name,
      kernel: kernel.name,
      with: plus,
      without,
      ...(maxStates === undefined ? {} : { maxStates }),
    }
  }

  async close(): Promise<void> {
    await this.books?.terminate()
    await this.searches.close()
  }
}

/** As `order` counts it: on its kernels, and where the switches that it needs are on. */
function makesSense({ kernels, needs }: ScenarioDeclaration, kernel: string, has: ReadonlySet<string>): boolean {
  const needed = needs.every((name) => has.has(name))
  return (needs.length > 0 && needed) || (kernels.length === 0 ? needed : kernels.includes(kernel))
}

function noSense({ name, kernels, needs }: ScenarioDeclaration, kernel: string): string {
  const where = [...(kernels.length > 0 ? [`on ${kernels.join(', ')}`] : []), ...(needs.length > 0 ? [`where ${needs.join(', ')} are switched on`] : [])]
  return `'${name}' makes no sense on ${kernel}: it does ${where.join(', and ')}.`
}

/** The scenarios of a selection, and all kernels and switches. */
export function modelList(selection: Selection): ModelList {
  const { model, scenarios } = selection
  return {
    scenarios: scenarios.map((scenario) => ({
      name: scenario.name,
      about: scenario.about,
      bounds: scenario.bounds,
      kernels: kernelsFor(model, scenario, []).flatMap((kernel) => kernel ?? []),
      needs: scenario.needs,
      deep: scenario.deep,
      shows: scenario.shows,
    })),
    kernels: model.kernels.map(({ name, about }) => ({ name, about })),
    switches: [...model.switches].map(([name, { effect, commit }]) => ({
      name,
      effect,
      ...(commit === undefined ? {} : { commit }),
      in: model.kernels.filter(({ has }) => has.includes(name)).map((kernel) => kernel.name),
    })),
    changes: [...model.proposals]
      .sort(([, a], [, b]) => Number(b.of_the_mail ?? false) - Number(a.of_the_mail ?? false))
      .map(([name, { about, parts }]) => ({ name, about, switches: [...new Set(Object.values(parts).flatMap(({ switches }) => switches))] })),
  }
}

function tell(batch: Batch, news: BatchNews): void {
  if (batch.ended) return
  if (news.kind !== 'progress') batch.told.push(news)
  for (const listener of batch.listeners) listener(news)
}

function end(batch: Batch, stopped: boolean): void {
  tell(batch, { kind: 'end', stopped })
  batch.ended = true
  batch.listeners.clear()
}

function keyOf({ scenario, kernel, with: plus, without }: Question): string {
  return [scenario, kernel, ...[...plus].sort().map((name) => `+${name}`), ...[...without].sort().map((name) => `-${name}`)].join(' ')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
