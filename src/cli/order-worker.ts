/** A worker of `order`: loads the models once, then searches what it is given, and sends back what failed. */
import { parentPort, workerData } from 'node:worker_threads'
import { explore } from '../engine/explore.ts'
import { Family } from '../engine/family.ts'
import type { Exploration } from '../engine/verdict.ts'
import { loadModel } from '../lang/compile.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import { ModelError } from '../lang/diagnostic.ts'
import type { Template } from '../lang/template.ts'
import type { Evidence, Trace } from '../report/evidence.ts'
import { violationReports } from '../report/json.ts'
import { Failure } from './failure.ts'
import { declarationFiles, diskHost } from './files.ts'
import { compileFor } from './models.ts'

export interface OrderStart {
  readonly files: readonly string[]
  readonly kernel: string
  readonly maxStates: number
  /** Switches that the sets differ in. */
  readonly inputs: readonly string[]
}

/** Search this scenario with these switches on beside the kernel's. */
export interface OrderQuestion {
  readonly scenario: string
  readonly on: readonly string[]
  /** A check: its trace is wanted. */
  readonly trace?: string
}

/** One search's result, as it is kept on disk too. */
export interface OrderAnswer {
  readonly scenario: string
  readonly on: readonly string[]
  readonly switchesRead: readonly string[]
  readonly states: number
  readonly incomplete?: string
  readonly failures: readonly { readonly check: string; readonly evidence: Evidence }[]
  /** The steps of one failure, where that was asked for. */
  readonly trace?: Trace
  /** A message for the person: the model does not compile. */
  readonly error?: string
}

const start = workerData as OrderStart
const model = loadModel(diskHost(), [...start.files, ...declarationFiles()])

/** A scenario compiled once, with the changes' switches as inputs; null where the compiler needs their values. */
interface Prepared {
  readonly template: Template
  readonly family: Family
}
const prepared = new Map<string, Prepared | null>()

function prepare(scenario: ScenarioDeclaration): Prepared | null {
  const known = prepared.get(scenario.name)
  if (known !== undefined) return known
  let made: Prepared | null
  try {
    const template = model.compileTemplate(scenario, start.kernel, start.inputs)
    made = { template, family: new Family(template.program) }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    made = null
  }
  // One scenario's code at a time: they are large, and come one after the other.
  prepared.clear()
  prepared.set(scenario.name, made)
  return made
}

/** Searches one set: by the code for all sets if that can be, else by code of its own. */
async function searched(scenario: ScenarioDeclaration, on: readonly string[]): Promise<{ exploration: Exploration; switchesRead: readonly string[] }> {
  const common = prepare(scenario)
  const instance = common?.template.instantiate(new Set(on))
  const limits = { jobs: 1, maxStates: start.maxStates, traces: false }
  if (common && instance) {
    const { exploration, inputsRead } = await common.family.explore(instance.program, limits)
    return { exploration, switchesRead: [...new Set([...instance.preparedBy, ...inputsRead])] }
  }
  const program = compileFor(model, scenario, start.kernel, { with: on, without: [] })
  return { exploration: await explore(program, limits), switchesRead: program.switchesRead ?? [] }
}

async function answer({ scenario: name, on }: OrderQuestion): Promise<OrderAnswer> {
  const scenario = model.scenarios.find((one) => one.name === name) as ScenarioDeclaration
  try {
    const { exploration, switchesRead } = await searched(scenario, on)
    const { checks } = exploration.program
    const failures = exploration.checks.flatMap(({ check, outcome }) => {
      const { id, kind, name: property, message } = checks[check]
      return outcome === 'violation' ? [{ check: id, evidence: { kind, property, message } }] : []
    })
    // What this kernel's newer relatives are known not to reach speaks against no change.
    const lost = exploration.complete ? exploration.sometimes.filter((one) => !one.reached && !scenario.unreachable.has(one.name)) : []
    const vacuous = lost.map(({ name: property }) => ({
      check: `vacuous:${property}`,
      evidence: { kind: 'vacuous' as const, property, message: `“${property}” can no longer happen.` },
    }))
    const { limit, states } = exploration
    return { scenario: name, on, switchesRead, states, ...(limit === undefined ? {} : { incomplete: limit }), failures: [...failures, ...vacuous] }
  } catch (error) {
    if (error instanceof Failure) return { scenario: name, on, switchesRead: [], states: 0, failures: [], error: error.message }
    throw error
  }
}

/** The trace of a failed check, made when it is to be shown. */
async function traceOf({ scenario: name, on, trace }: OrderQuestion): Promise<OrderAnswer> {
  const scenario = model.scenarios.find((one) => one.name === name) as ScenarioDeclaration
  const program = compileFor(model, scenario, start.kernel, { with: on, without: [] })
  const exploration = await explore(program, { jobs: 1, maxStates: start.maxStates })
  const steps = violationReports({ exploration }).find(({ check }) => check === trace)?.report.steps
  return { scenario: name, on, switchesRead: [], states: exploration.states, failures: [], trace: { check: trace as string, steps: steps ?? [] } }
}

parentPort?.on('message', async (question: OrderQuestion) => {
  parentPort?.postMessage(await (question.trace === undefined ? answer(question) : traceOf(question)))
})
