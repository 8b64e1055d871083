/** `putpage run`: one concrete run of the modelled system, step by step. */
import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { atGrain } from '../engine/grain.ts'
import type { Step } from '../engine/verdict.ts'
import { interpret } from '../ir/interpreter.ts'
import type { Program } from '../ir/program.ts'
import { DONE } from '../ir/state.ts'
import { describeTrace } from '../report/describe.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { ftraceText } from '../report/ftrace.ts'
import { Failure } from './failure.ts'
import { compileFor, kernelsFor, select, switchesNamed } from './models.ts'
import { fromFile, random, roundRobin, type Schedule } from './schedule.ts'
import { modelOptions, type SearchFlags } from './search-options.ts'

interface RunFlags extends SearchFlags {
  readonly schedule: string
  readonly seed: string
  readonly steps: string
  readonly ftrace?: string
}

export function addRun(program: Command, finish: (code: ExitCode) => void): void {
  modelOptions(
    program.command('run').description('one concrete run of a scenario, step by step, with every page as it goes').argument('<scenario>'),
    'the newest it makes sense on',
  )
    .option('--schedule <how>', 'round-robin, random, or a file: a saved counterexample, or a thread name a line', 'round-robin')
    .option('--seed <n>', 'seed of a random schedule', '1')
    .option('--steps <n>', 'stop after this many steps', '1000')
    .option('--ftrace <file>', "also write the run's page_ref events as tracefs text")
    .addOption(new Option('--grain <grain>', 'what one step is').choices(['lock', 'access']).default('access'))
    .addHelpText(
      'after',
      '\nExamples:\n  putpage run gup-of-mapped-dax --kernel v7.3\n  putpage run gup-of-mapped-dax --kernel v6.1 --schedule random --seed 7 --ftrace run.txt',
    )
    .action((name: string, flags: RunFlags) => {
      finish(run(name, flags))
    })
}

function run(name: string, flags: RunFlags): ExitCode {
  const { model, scenarios } = select([name])
  const kernels = kernelsFor(model, scenarios[0], flags.kernel)
  if (flags.kernel.length > 1) throw new Failure('one run is on one kernel: give --kernel once')
  const kernel = kernels[kernels.length - 1]
  const compiled = compileFor(model, scenarios[0], kernel, { with: switchesNamed(model, flags.with), without: switchesNamed(model, flags.without) })
  const program = atGrain(compiled, flags.grain ?? 'access')
  const seed = Number(flags.seed)
  if (!Number.isInteger(seed)) throw new Failure(`--seed ${flags.seed}: a whole number is needed`)
  const schedule =
    flags.schedule === 'round-robin' ? roundRobin(program.threads.length) : flags.schedule === 'random' ? random(seed) : fromFile(flags.schedule, program)
  const { steps, ended, violated } = runOnce(program, schedule, Number(flags.steps))
  process.stdout.write(`${narrate(program, steps)}\n${ended}\n`)
  if (flags.schedule === 'random') process.stdout.write(`seed ${seed}\n`)
  if (flags.ftrace !== undefined) writeFileSync(flags.ftrace, ftraceText(program, steps))
  return violated ? 1 : 0
}

function runOnce(program: Program, schedule: Schedule, limit: number): { steps: readonly Step[]; ended: string; violated: boolean } {
  const interpreter = interpret(program)
  const steps: Step[] = []
  let state = interpreter.initial()
  let violated = false
  while (steps.length < limit) {
    const possible = interpreter.successors(state)
    if (possible.length === 0) {
      const waiting = program.threads.filter((_, t) => state[interpreter.shape.threadBase[t]] !== DONE).map((thread) => thread.name)
      return {
        steps,
        violated: violated || waiting.length > 0,
        ended: waiting.length === 0 ? 'every thread ended' : `nobody can move; still waiting: ${waiting.join(', ')}`,
      }
    }
    const transition = schedule(possible, steps.length)
    if (!transition) break
    steps.push({ from: state, transition })
    violated ||= transition.violations.length > 0
    if (transition.to === null) return { steps, violated, ended: `ended by ${program.checks[transition.violations[transition.violations.length - 1]].name}` }
    state = transition.to
    const failed = interpreter.stateViolations(state)
    if (failed.length > 0) return { steps, violated: true, ended: failed.map((check) => program.checks[check].message).join('\n') }
  }
  return { steps, violated, ended: `stopped after ${steps.length} steps (--steps)` }
}

/** A line a step; under it what changed, and the pages whose count or holders did. */
function narrate(program: Program, steps: readonly Step[]): string {
  const trace = describeTrace(program, { check: program.checks.length - 1, steps })
  const width = Math.max(...trace.threads.map((thread) => thread.length))
  const lines = trace.start.map((page) => `     ${page}`)
  trace.steps.forEach((step, i) => {
    lines.push(`${String(i + 1).padStart(4)} ${step.threadName.padEnd(width)}  ${step.at.function}  ${step.at.file}:${step.at.line}  ${step.at.text}`)
    const pad = ' '.repeat(7 + width)
    if (step.changes.length > 0) lines.push(`${pad}${step.changes.map((change) => change.said).join(', ')}`)
    for (const check of step.violations) lines.push(`${pad}!! ${check.kind}: ${check.name}`)
    for (const page of step.pages) lines.push(`${pad}${page}`)
  })
  return lines.join('\n')
}
