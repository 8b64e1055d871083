/** Random runs, for what is too large to search: a failure found is a fact, and nothing found says nothing. */
import { interpret, type Transition } from '../ir/interpreter.ts'
import type { CheckId, Program } from '../ir/program.ts'
import { isStep, replay } from './counterexample.ts'
import { FingerprintStore } from './fingerprint-store.ts'
import type { Move } from './forward.ts'
import { atGrain } from './grain.ts'
import { classifyHang, describeWaiting, HANG_KINDS, type HangKind } from './hang.ts'
import { putInitial } from './initial.ts'
import { layOut, unpack } from './layout.ts'
import { Limits } from './limits.ts'
import { PctSchedule, type RandomSchedule, type Strategy, UniformSchedule } from './random-schedule.ts'
import { compile, Runner } from './runner.ts'
import { SearchMemory } from './search-memory.ts'
import type { Counterexample, Exploration, ExploreOptions, Grain, Step } from './verdict.ts'
import { FLAG_BITS } from './workspace.ts'

export interface RandomOptions {
  /** How many runs, each from the beginning to its end. */
  readonly runs: number
  /** A whole number; the same one gives the same runs. */
  readonly seed: number
  readonly strategy: Strategy
  /** For `pct`: how many ordering constraints a bug is looked for with, at least 1. */
  readonly depth: number
}

/** A run without an end is given up here: a kernel may go round for ever. */
const LONGEST_RUN = 100_000
/** Runs that tell `pct` how long a run is. */
const PILOT_RUNS = 16

/**
 * Makes random runs. In every state of a run all steps are looked at, and one is taken: what fails in a state, or by any step
 * out of it, is found. A failure has its counterexample; without one the verdict is `inconclusive`.
 */
export async function exploreRandomly(program: Program, random: RandomOptions, options: ExploreOptions = {}): Promise<Exploration> {
  const limits = new Limits(options)
  let grain: Grain = options.grain ?? 'lock'
  let walked = await walk(atGrain(program, grain, { inPlace: true }), random, options, limits)
  if (grain === 'lock' && walked.failed.some((failure, check) => failure && program.checks[check].kind === 'race')) {
    // The discipline that grain `lock` relies on is broken.
    grain = 'access'
    walked = await walk(program, random, options, limits)
  }
  const { program: used, failed } = walked
  const how = random.strategy === 'pct' ? `pct, depth ${random.depth}, seed ${random.seed}` : `uniform, seed ${random.seed}`
  const checks = used.checks.map((_, check) => {
    const failure = failed[check]
    return failure ? ({ check, outcome: 'violation', counterexample: failure } as const) : ({ check, outcome: 'inconclusive' } as const)
  })
  return {
    program: used,
    verdict: checks.some(({ outcome }) => outcome === 'violation') ? 'violation' : 'inconclusive',
    grain,
    complete: false,
    limit: `${walked.runs} random runs (${how}${walked.stopped === undefined ? '' : `; ${walked.stopped}`})`,
    fingerprint: false,
    states: walked.states,
    transitions: walked.steps,
    depth: walked.longest,
    seconds: limits.seconds,
    peakBytes: walked.bytes,
    checks,
    taken: walked.taken,
    sometimes: used.properties.sometimes.map(({ name, exempt }, i) => ({ name, reached: walked.reached[i], ...(exempt === undefined ? {} : { exempt }) })),
  }
}

interface Walked {
  readonly program: Program
  /** By check. */
  readonly failed: readonly (Counterexample | undefined)[]
  readonly reached: readonly boolean[]
  readonly taken: readonly Uint8Array[]
  readonly runs: number
  readonly steps: number
  readonly longest: number
  /** Different states the runs went through. */
  readonly states: number
  readonly bytes: number
  /** Why there were fewer runs than asked for. */
  readonly stopped?: string
}

async function walk(program: Program, random: RandomOptions, options: ExploreOptions, limits: Limits): Promise<Walked> {
  const walker = new Walker(program, options)
  const schedule = scheduleOf(program, random, walker)
  let runs = 0
  let longest = 0
  let stopped: string | undefined
  let nextReport = 0
  while (runs < random.runs && stopped === undefined) {
    longest = Math.max(longest, walker.run(schedule, runs++))
    await limits.breathe()
    const { steps, states } = walker
    stopped = limits.reached(states.count, states.bytes)
    if (limits.seconds < nextReport || !options.onProgress) continue
    nextReport = limits.seconds + 0.2
    options.onProgress({ states: states.count, transitions: steps, depth: longest, frontier: random.runs - runs, bytes: states.bytes, seconds: limits.seconds })
  }
  const { runner, states, steps } = walker
  return {
    program,
    failed: walker.counterexamples(),
    reached: program.properties.sometimes.map((_, i) => runner.reached(i)),
    taken: runner.taken as Uint8Array[],
    runs,
    steps,
    longest,
    states: states.count,
    bytes: states.bytes,
    ...(stopped === undefined || runs === random.runs ? {} : { stopped }),
  }
}

function scheduleOf(program: Program, { strategy, seed, depth }: RandomOptions, walker: Walker): RandomSchedule {
  const uniform = new UniformSchedule(seed)
  if (strategy === 'uniform') return uniform
  let length = 0
  // Numbers that no counted run has; what they find counts.
  for (let run = 1; run <= PILOT_RUNS; run++) length = Math.max(length, walker.run(uniform, -run))
  return new PctSchedule(seed, program.threads.length, depth, length)
}

/** Where a check failed first, in the shortest run that fails it. */
interface Failure {
  readonly schedule: RandomSchedule
  readonly run: number
  readonly steps: number
}

/** Makes runs by generated code, one state at a time. */
class Walker {
  readonly runner: Runner
  readonly states: FingerprintStore
  steps = 0
  private readonly program: Program
  private readonly initial: Int32Array
  private readonly failures: (Failure | undefined)[]
  private readonly hangCheck: ReadonlyMap<HangKind, CheckId>
  /** Of the present state: the threads that can move, and where the records of each begin. */
  private readonly movers: Int32Array
  private readonly begins: Int32Array

  constructor(program: Program, options: ExploreOptions) {
    const layout = layOut(program)
    this.program = program
    const code = compile(program, layout, options.backend ?? 'wasm', true)
    const memory = SearchMemory.ofSize(code.workspace.words)
    this.runner = new Runner(code, memory)
    this.states = new FingerprintStore(memory, layout.words)
    const { out, record } = code.workspace
    putInitial(program, this.runner)
    this.initial = this.runner.memory.slice(out, out + layout.words)
    this.states.insert(out, out + record)
    this.failures = program.checks.map(() => undefined)
    this.hangCheck = new Map(HANG_KINDS.map((kind) => [kind, program.checks.findIndex((check) => check.kind === kind)]))
    this.movers = new Int32Array(program.threads.length)
    this.begins = new Int32Array(program.threads.length + 1)
  }

  /** Makes one run; gives its length. `until` ends it early; `moves` takes down what was done. */
  run(schedule: RandomSchedule, number: number, until = LONGEST_RUN, moves?: Move[]): number {
    const { runner, states } = this
    const { memory, workspace } = runner
    const { source, alarm, record } = workspace
    const { words } = runner.layout
    schedule.begin(number)
    for (let w = 0; w < words; w++) memory[source + w] = this.initial[w]
    for (let step = 0; ; step++) {
      if (step === until) return step
      const movers = this.expand()
      if (!moves) {
        if (memory[alarm] !== 0) this.noteFailures({ schedule, run: number, steps: step })
        if (runner.hungCount > 0) this.noteHang({ schedule, run: number, steps: step })
      }
      if (movers === 0) return step
      const thread = schedule.pick(this.movers, movers)
      let m = 0
      while (this.movers[m] !== thread) m++
      const nth = schedule.choose((this.begins[m + 1] - this.begins[m]) / record)
      const at = this.begins[m] + nth * record
      for (let w = 0; w < words; w++) memory[source + w] = memory[at + w]
      if (moves) moves.push({ thread, nth })
      else {
        this.steps++
        states.insert(at, at + record)
        states.release(states.count)
      }
    }
  }

  /** Makes the steps out of the present state; gives the number of threads that can move. */
  private expand(): number {
    const { memory, workspace, layout } = this.runner
    const end = this.runner.run(1)
    let movers = 0
    let last = -1
    for (let at = workspace.out; at < end; at += workspace.record) {
      const thread = memory[at + layout.words + 1] >> FLAG_BITS
      if (thread === last) continue
      this.movers[movers] = thread
      this.begins[movers++] = at
      last = thread
    }
    this.begins[movers] = end
    return movers
  }

  private noteFailures(failure: Failure): void {
    const { memory, workspace } = this.runner
    for (let check = 0; check < this.failures.length; check++) if (this.runner.violated(check)) this.note(check, failure)
    memory.fill(0, workspace.violated, workspace.violated + this.failures.length)
    memory[workspace.alarm] = 0
  }

  private noteHang(failure: Failure): void {
    const { layout, memory } = this.runner
    const kind = classifyHang(this.program, layout.shape, unpack(layout, memory, this.runner.hungAt(0)))
    this.note(this.hangCheck.get(kind) ?? -1, failure)
  }

  private note(check: CheckId, failure: Failure): void {
    if (check >= 0 && failure.steps < (this.failures[check]?.steps ?? Infinity)) this.failures[check] = failure
  }

  /** By check: the failure that took fewest steps, stepped again. */
  counterexamples(): (Counterexample | undefined)[] {
    const interpreter = interpret(this.program)
    return this.failures.map((failure, check) => {
      if (!failure) return undefined
      const moves: Move[] = []
      this.run(failure.schedule, failure.run, failure.steps, moves)
      const walk = replay(interpreter, moves)
      const steps = withoutDetours(walk.steps, walk.end)
      if (isStep(this.program, check)) {
        const last = interpreter.successors(walk.end).find((transition) => transition.violations.includes(check))
        steps.push({ from: walk.end, transition: last as Transition })
      }
      const hang = HANG_KINDS.includes(this.program.checks[check].kind as HangKind)
      return { check, steps, ...(hang ? { waiting: describeWaiting(this.program, interpreter.shape, walk.end) } : {}) }
    })
  }
}

/** A path without its rounds: what leads back to a state it has been in. */
function withoutDetours(steps: readonly Step[], end: Int32Array): Step[] {
  const place = new Map<string, number>()
  const kept: Step[] = []
  const backTo = (state: Int32Array): void => {
    const known = place.get(state.join())
    if (known !== undefined) for (const gone of kept.splice(known)) place.delete(gone.from.join())
  }
  for (const step of steps) {
    backTo(step.from)
    place.set(step.from.join(), kept.length)
    kept.push(step)
  }
  backTo(end)
  return kept
}
