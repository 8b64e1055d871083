/** Searches every interleaving of a program and gives a verdict for each of its checks. */
import { availableParallelism } from 'node:os'
import type { CheckId, Program } from '../ir/program.ts'
import type { Backend } from './compiled.ts'
import { BYTES_A_STATE } from './components.ts'
import { buildCounterexamples } from './counterexample.ts'
import { atGrain } from './grain.ts'
import { StateGraph } from './graph.ts'
import { TooManySuccessors } from './interpreted.ts'
import { type Layout, layOut } from './layout.ts'
import { Limits } from './limits.ts'
import { findLivelock } from './livelock.ts'
import { searchInParallel } from './parallel-search.ts'
import { compile } from './runner.ts'
import { type Searched, type SearchOptions, search } from './search.ts'
import type { CheckVerdict, Counterexample, Exploration, ExploreOptions, Grain } from './verdict.ts'

/** Starting workers costs about as much as searching this many states. */
const WORTH_WORKERS = 200_000
/** Faster from the first thousands of states on: docs/decisions/0004-generated-code.md has the figures. */
const DEFAULT_BACKEND: Backend = 'wasm'
/** How many states the interpreter does in the time that code for one node takes. */
const STATES_A_NODE = 0.5

/** Explores a program: all reachable states, unless a limit is reached first. The result does not depend on the number of workers. */
export async function explore(program: Program, options: ExploreOptions = {}): Promise<Exploration> {
  const limits = new Limits(options)
  let grain: Grain = options.grain ?? 'lock'
  let used = atGrain(program, grain, { inPlace: options.coverage })
  let searched = await searchAll(used, options, limits, { stopAtRace: used !== program })
  if (grain === 'lock' && searched.findings.raced) {
    // The discipline that fusing relies on is broken. Where nothing was fused the two grains are the same search.
    grain = 'access'
    if (used !== program) searched = await searchAll(program, options, limits, {})
    used = program
  }
  return judge(used, grain, options, limits, searched, await searchForTraces(used, options, limits, searched))
}

interface How {
  /** Give up when a race is found. */
  readonly stopAtRace?: boolean
  /** Expand no level after this one. */
  readonly lastLevel?: number
  /** Write code when there are more states than this; none: at once. */
  readonly worthCode?: number
  /** Start workers when there are more states than this. */
  readonly worthWorkers?: number
}

/** Searches a program once, at the grain it has: in this thread as long as it is small, then with workers. */
export async function searchAll(program: Program, options: ExploreOptions, limits: Limits, how: How): Promise<Searched> {
  const layout = layOut(program, { zeroDeadLocals: options.zeroDeadLocals })
  const jobs = Math.max(1, Math.floor(options.jobs ?? availableParallelism()))
  const { fingerprint, onProgress } = options
  const { stopAtRace = false, lastLevel, worthWorkers = WORTH_WORKERS, worthCode = statesWorthCode(program) } = how
  const shared = { limits, onProgress, stopAtRace, fingerprint, lastLevel }
  if (worthCode > 0 && options.backend === undefined && !options.coverage && !program.inputs?.length) {
    const few = await searchFew(program, layout, { ...shared, outgrowAt: worthCode })
    if (few) return few
  }
  const code = compile(program, layout, options.backend ?? DEFAULT_BACKEND, options.coverage)
  const small = await search(program, code, jobs === 1 ? shared : { ...shared, outgrowAt: worthWorkers })
  return small ?? searchInParallel(program, code, jobs, shared)
}

/** Searches with the interpreter; null if there is too much to search. */
async function searchFew(program: Program, layout: Layout, options: SearchOptions): Promise<Searched | null> {
  try {
    return await search(program, compile(program, layout, 'interpreter'), options)
  } catch (error) {
    if (error instanceof TooManySuccessors) return null
    throw error
  }
}

/** Writing and compiling a program's code costs about as much as making the successors of this many states without. */
function statesWorthCode(program: Program): number {
  return Math.floor(program.threads.reduce((sum, { nodes }) => sum + nodes.length, 0) * STATES_A_NODE)
}

/** Where only fingerprints were kept: searches again, exactly, as far as the failures; null if that came to a limit. */
async function searchForTraces(program: Program, options: ExploreOptions, limits: Limits, searched: Searched): Promise<Searched | null> {
  if (!options.fingerprint) return searched
  const lastLevel = Math.max(-1, ...searched.findings.failedAt.flatMap((level) => level ?? []))
  if (lastLevel < 0) return null
  const exact = await searchAll(program, { ...options, fingerprint: false }, limits, { lastLevel })
  return exact.limit === undefined ? exact : null
}

/** Turns what a search has found into verdicts. `exact` holds the states that counterexamples lead through. */
export async function judge(
  program: Program,
  grain: Grain,
  options: ExploreOptions,
  limits: Limits,
  searched: Searched,
  exact: Searched | null,
): Promise<Exploration> {
  const { findings, limit, states } = searched
  const { failedAt } = findings
  const traces = options.traces !== false && failedAt.some((level) => level !== undefined)
  const graph = exact && (traces || searched.retreating > 0) ? new StateGraph(exact) : undefined
  const counterexamples = traces && graph && exact ? await buildCounterexamples(program, graph, exact, limits) : new Map<CheckId, Counterexample>()
  const unjudged = new Set<CheckId>()
  const livelock = program.checks.findIndex((check) => check.kind === 'livelock')
  if (livelock >= 0 && limit === undefined) {
    const tooLarge = searched.peakBytes + states * BYTES_A_STATE > limits.maxMemory
    if (options.livelock === false || options.fingerprint || (searched.retreating > 0 && tooLarge)) unjudged.add(livelock)
    else if (graph && searched.retreating > 0) {
      const found = await findLivelock(program, graph, livelock, limits)
      if (found === null) unjudged.add(livelock)
      else if (found) counterexamples.set(livelock, found)
    }
  }
  const checks = program.checks.map((_, check): CheckVerdict => {
    const counterexample = counterexamples.get(check)
    if (counterexample) return { check, outcome: 'violation', counterexample }
    if (failedAt[check] !== undefined) return { check, outcome: 'violation' }
    if (limit !== undefined || unjudged.has(check)) return { check, outcome: 'inconclusive' }
    return { check, outcome: searched.ended > 0 ? 'masked' : 'pass' }
  })
  const sometimes = program.properties.sometimes.map(({ name, exempt }, i) => ({
    name,
    reached: findings.reached[i],
    ...(exempt === undefined ? {} : { exempt }),
  }))
  return {
    program,
    verdict: verdictOf(options.livelock === false ? checks.filter((one) => one.check !== livelock) : checks, limit === undefined, sometimes),
    grain,
    complete: limit === undefined,
    ...(limit === undefined ? {} : { limit }),
    fingerprint: options.fingerprint ?? false,
    states,
    transitions: searched.transitions,
    depth: searched.levels.length - 1,
    seconds: limits.seconds,
    peakBytes: searched.peakBytes,
    ...(searched.taken ? { taken: searched.taken } : {}),
    checks,
    sometimes,
  }
}

function verdictOf(checks: readonly CheckVerdict[], complete: boolean, sometimes: Exploration['sometimes']): Exploration['verdict'] {
  if (checks.some((one) => one.outcome === 'violation')) return 'violation'
  if (!complete || checks.some((one) => one.outcome === 'inconclusive')) return 'inconclusive'
  return sometimes.some((one) => !one.reached && one.exempt === undefined) ? 'vacuous' : 'pass'
}
