/** `putpage bugs`: the known bugs, by kernels, from the checks themselves. */
import type { Command } from 'commander'
import type { Exploration } from '../engine/verdict.ts'
import type { Model } from '../lang/compile.ts'
import type { ScenarioDeclaration } from '../lang/declarations.ts'
import type { KnownBug, Repair } from '../lang/model.ts'
import { BUGS_FORMAT, type BugReport, type BugsReport, type Evidence, judgeBug, judgeScenario, type Reverted } from '../report/bugs.ts'
import { renderBugs } from '../report/bugs-table.ts'
import { combineExitCodes, type ExitCode } from '../report/exit-code.ts'
import { type Changes, runAll, type Task } from './batch.ts'
import { Failure } from './failure.ts'
import { kernelsFor, type Selection, select, suggestion } from './models.ts'
import { outputColour, outputWidth } from './terminal.ts'

interface BugsFlags {
  readonly json?: boolean
  readonly deep?: boolean
}

export function addBugs(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('bugs')
    .description('the known bugs of these kernels: found, absent, and found again without their fix')
    .argument('[id...]', 'bugs, as `putpage list` says scenarios show them; default: all')
    .option('--deep', 'also by the scenarios marked deep, which are large')
    .option('--json', 'as JSON (format putpage-bugs/1)')
    .addHelpText(
      'after',
      `
"found" means that the very check that is the bug fails; "absent" that it passes a complete search.
Exit code: 0 everything was decided, 1 a bug shows nowhere, not even without its fix, 2 wrong usage, 3 something was not decided.

Examples:
  putpage bugs
  putpage bugs lost-wake-folio-put two-faults-livelock`,
    )
    .action(async (ids: string[], flags: BugsFlags) => {
      const selection = select([])
      const bugs = await judgeBugs(selection, ids, flags.deep ?? false)
      const report: BugsReport = { format: BUGS_FORMAT, bugs }
      const kernels = selection.model.kernels.map(({ name }) => name)
      process.stdout.write(
        flags.json ? `${JSON.stringify(report, null, 2)}\n` : `${renderBugs(bugs, { colour: outputColour(), width: outputWidth(), kernels })}\n`,
      )
      finish(combineExitCodes(bugs.map(codeOf)))
    })
}

function codeOf({ kernels, reverted }: BugReport): ExitCode {
  const verdicts = [...Object.values(kernels), ...(reverted ? [reverted] : [])].map(({ verdict }) => verdict)
  if (verdicts.includes('inconclusive')) return 3
  return verdicts.includes('found') ? 0 : 1
}

/** A bug with the scenarios that show it. Nobody has said yet which check of them is one that only scenarios name. */
interface Shown {
  readonly id: string
  readonly bug: KnownBug | undefined
  readonly scenarios: readonly ScenarioDeclaration[]
}

/** Searches what the named bugs (default: all) need, and says what each kernel has. Throws `Failure` for an id nobody knows. */
export async function judgeBugs(selection: Selection, ids: readonly string[], deep = false): Promise<BugReport[]> {
  const { model } = selection
  const shown = shownBugs(selection, ids, deep)
  const searched = new Searched(selection)
  const kernels = model.kernels.map(({ name }) => name)
  await searched.make(shown.flatMap(({ scenarios }) => scenarios.flatMap((scenario) => kernels.map((kernel) => ({ scenario, kernel })))))
  const evidence = ({ scenarios, bug }: Shown, kernel: string): Evidence[] =>
    scenarios.map((scenario) => ({ scenario: scenario.name, checks: checksOf(bug, scenario), exploration: searched.get({ scenario, kernel }) }))
  const found = shown.map((one) => ({
    one,
    kernels: Object.fromEntries(kernels.map((kernel) => [kernel, judgeBug(evidence(one, kernel), one.bug?.not_applicable?.[kernel])])),
  }))
  const reverted = await revert(model, searched, shown)
  return found.map(({ one, kernels: cells }) => {
    const again = reverted.get(one.id)
    return { id: one.id, about: one.bug?.about ?? '', kernels: cells, ...(again ? { reverted: again } : {}) }
  })
}

function shownBugs({ model, scenarios }: Selection, ids: readonly string[], deep: boolean): Shown[] {
  const known = [...new Set([...model.bugs.keys(), ...scenarios.flatMap(({ shows }) => shows)])]
  for (const id of ids) if (!known.includes(id)) throw new Failure(`there is no known bug '${id}'.${suggestion(id, known)}`)
  return known
    .filter((id) => ids.length === 0 || ids.includes(id))
    .map((id) => ({ id, bug: model.bugs.get(id), scenarios: scenarios.filter((one) => one.shows.includes(id) && (deep || !one.deep)) }))
}

function checksOf(bug: KnownBug | undefined, scenario: ScenarioDeclaration): readonly string[] | undefined {
  return bug?.in?.[scenario.name] ?? bug?.checks
}

/** Of each bug with a fix: the nearest kernel that has the fix, without it, in a scenario that does not find the bug with it. */
async function revert(model: Model, searched: Searched, shown: readonly Shown[]): Promise<Map<string, Reverted>> {
  const result = new Map<string, Reverted>()
  const candidates = new Map(shown.map((one) => [one.id, revertsOf(model, searched, one)]))
  // The nearest kernel of every bug first; the next one only of those bugs that it does not bring back.
  for (let round = 0; ; round++) {
    const open = shown.flatMap((one) => {
      const [group] = candidates.get(one.id)?.slice(round, round + 1) ?? []
      return group && result.get(one.id)?.verdict !== 'found' ? [{ id: one.id, group }] : []
    })
    if (open.length === 0) return result
    await searched.make(open.flatMap(({ group }) => group.map(({ task }) => task)))
    for (const { id, group } of open) {
      const cells = group.map(({ task, repair, checks, without }): Reverted => {
        const cell = judgeScenario({ scenario: task.scenario.name, checks, exploration: searched.get(task) })
        return { kernel: task.kernel ?? '', without, ...cell, ...(repair.why === undefined || cell.verdict !== 'found' ? {} : { why: repair.why }) }
      })
      const best = cells.filter(({ verdict }) => verdict === 'found').sort((a, b) => (a.steps ?? 0) - (b.steps ?? 0))[0]
      if (best || !result.has(id)) result.set(id, best ?? cells.find(({ verdict }) => verdict === 'inconclusive') ?? cells[0])
    }
  }
}

interface Candidate {
  readonly task: Task
  readonly repair: Repair
  readonly checks: readonly string[] | undefined
  readonly without: string
}

/** By kernel and fix, the nearest first: searches without the fix. */
function revertsOf(model: Model, searched: Searched, { bug, scenarios }: Shown): Candidate[][] {
  return model.kernels.flatMap(({ name: kernel, has }) =>
    (bug?.fixes ?? [])
      .filter((repair) => has.includes(repair.without))
      .map((repair) =>
        scenarios.flatMap((scenario): Candidate[] => {
          const exploration = searched.get({ scenario, kernel })
          const checks = repair.checks ?? checksOf(bug, scenario)
          if (!exploration || judgeScenario({ scenario: scenario.name, checks, exploration }).verdict === 'found') return []
          return [
            { task: { scenario, kernel, changes: { with: [], without: [repair.without] } }, repair, checks, without: commitOrSwitch(model, repair.without) },
          ]
        }),
      )
      .filter((group) => group.length > 0),
  )
}

/** What to type after --without: the commit, unless it is several switches. */
function commitOrSwitch(model: Model, name: string): string {
  const commit = model.switches.get(name)?.commit
  return commit !== undefined && [...model.switches.values()].filter((one) => one.commit === commit).length === 1 ? commit : name
}

/** Searches that were made, each once. */
class Searched {
  private readonly selection: Selection
  private readonly made = new Map<string, Exploration>()

  constructor(selection: Selection) {
    this.selection = selection
  }

  get(task: Task): Exploration | undefined {
    return this.made.get(keyOf(task))
  }

  /** Makes those that make sense and were not made yet. */
  async make(tasks: readonly Task[]): Promise<void> {
    const wanted = new Map(tasks.map((task) => [keyOf(task), task]))
    const open = [...wanted.values()].filter(
      (task) => !this.made.has(keyOf(task)) && kernelsFor(this.selection.model, task.scenario, []).includes(task.kernel as string),
    )
    if (open.length === 0) return
    const none: Changes = { with: [], without: [] }
    for (const { exploration } of await runAll(this.selection, open, { ...none, explore: {} })) {
      const { scenario, kernel, changes } = exploration.program
      this.made.set([scenario, kernel, ...changes].join(' '), exploration)
    }
  }
}

function keyOf({ scenario, kernel, changes }: Task): string {
  return [scenario.name, kernel, ...(changes?.with ?? []).map((one) => `+${one}`), ...(changes?.without ?? []).map((one) => `-${one}`)].join(' ')
}
