/** JUnit XML for CI systems: a test suite is a scenario, a test case a check of it on one kernel. */
import type { CheckVerdict } from '../engine/verdict.ts'
import { unreachable } from '../ir/program.ts'
import { boundsLine, kernelName } from './bounds.ts'
import { renderCounterexample } from './lanes.ts'
import type { Run } from './run.ts'

interface Case {
  readonly name: string
  readonly outcome: 'pass' | 'failure' | 'skipped'
  /** For what did not pass. */
  readonly type: string
  readonly message: string
  readonly body: string
}

/** Renders runs as one JUnit document. `command` gives the command that reproduces a run; failures carry the whole counterexample. */
export function renderJunit(runs: readonly Run[], command: (run: Run, verdict?: CheckVerdict) => string): string {
  const scenarios = [...new Set(runs.map((run) => run.exploration.program.scenario))]
  const suites = scenarios.map((scenario) => {
    const own = runs.filter((run) => run.exploration.program.scenario === scenario)
    const cases = own.map((run) => ({ run, cases: casesOf(run, command) }))
    return { scenario, cases, all: cases.flatMap((one) => one.cases), seconds: own.reduce((sum, run) => sum + run.exploration.seconds, 0) }
  })
  const total = totals(
    suites.flatMap(({ all }) => all),
    suites.reduce((sum, { seconds }) => sum + seconds, 0),
  )
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="putpage" ${total}>`]
  for (const { scenario, cases, all, seconds } of suites) {
    lines.push(`  <testsuite name="${escapeXml(scenario)}" ${totals(all, seconds)}>`)
    for (const one of cases) lines.push(...one.cases.flatMap((test) => caseLines(scenario, one.run, test)))
    lines.push('  </testsuite>')
  }
  lines.push('</testsuites>', '')
  return lines.join('\n')
}

function casesOf(run: Run, command: (run: Run, verdict?: CheckVerdict) => string): Case[] {
  const { checks, sometimes, complete, limit } = run.exploration
  const again = `${boundsLine(run)}\n${command(run)}`
  const tests = checks.map((verdict) => caseOf(run, verdict, command, again))
  const reached = sometimes.map(({ name, reached: seen, exempt }): Case => {
    const id = `sometimes:${name}`
    if (seen) return passed(id)
    if (exempt) return { name: id, outcome: 'skipped', type: 'exempt', message: `does not happen on this kernel: ${exempt}`, body: again }
    if (!complete)
      return { name: id, outcome: 'skipped', type: 'inconclusive', message: `not reached so far: ${limit ?? 'the search did not end'}`, body: again }
    return { name: id, outcome: 'failure', type: 'vacuous', message: 'never happens: the scenario says nothing about what it is for', body: again }
  })
  return [...tests, ...reached]
}

function caseOf(run: Run, verdict: CheckVerdict, command: (run: Run, verdict?: CheckVerdict) => string, again: string): Case {
  const { program, limit } = run.exploration
  const { id, kind, message } = program.checks[verdict.check]
  switch (verdict.outcome) {
    case 'pass':
      return passed(id)
    case 'violation': {
      const body = renderCounterexample(run, verdict, { colour: false, width: 100, command: command(run, verdict) })
      return { name: id, outcome: 'failure', type: kind, message, body }
    }
    case 'masked':
      return { name: id, outcome: 'skipped', type: 'masked', message: 'masked: another check ended the paths on which this one might have failed', body: again }
    case 'inconclusive':
      return { name: id, outcome: 'skipped', type: 'inconclusive', message: `inconclusive: ${limit ?? 'the search did not end'}`, body: again }
    default:
      return unreachable(verdict.outcome)
  }
}

function passed(name: string): Case {
  return { name, outcome: 'pass', type: '', message: '', body: '' }
}

function caseLines(scenario: string, run: Run, { name, outcome, type, message, body }: Case): string[] {
  const open = `    <testcase classname="${escapeXml(scenario)}" name="${escapeXml(`${kernelName(run)}: ${name}`)}"`
  if (outcome === 'pass') return [`${open}/>`]
  // `skipped` has a message and no type in the schema that CI systems share.
  const attributes = outcome === 'failure' ? `type="${escapeXml(type)}" message="${escapeXml(message)}"` : `message="${escapeXml(message)}"`
  return [`${open}>`, `      <${outcome} ${attributes}>${escapeXml(body)}</${outcome}>`, '    </testcase>']
}

function totals(cases: readonly Case[], seconds: number): string {
  const count = (outcome: Case['outcome']): number => cases.filter((one) => one.outcome === outcome).length
  return `tests="${cases.length}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`
}

/** Escapes text for XML content and attributes; characters that XML 1.0 cannot hold are dropped. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be dropped.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replace(/[&<>"']/g, (sign) => entities[sign])
}
