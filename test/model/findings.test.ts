// What putpage reports on v7.3, the newest kernel, is explained in docs/findings.md: every check that fails has a row in the table at its end,
// and every row is of a check that fails.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runAll, type Task } from '../../src/cli/batch.ts'
import { kernelsFor } from '../../src/cli/models.ts'
import { failed, models } from './models.ts'

const KERNEL = 'v7.3'
const HEADING = '## Every check that fails on v7.3'

interface Row {
  readonly scenario: string
  /** Id of a check; a star at its end stands for any rest. */
  readonly check: string
  readonly section: string
}

/** The rows under HEADING: | `scenario` | `check` | section |. */
function rowsOf(text: string): Row[] {
  const start = text.indexOf(HEADING)
  assert.ok(start >= 0, `docs/findings.md has no "${HEADING}"`)
  return text
    .slice(start)
    .split('\n')
    .flatMap((line) => {
      const cells = /^\| `([^`]+)` +\| `([^`]+)` +\| (.+?) +\|$/.exec(line)
      return cells ? [{ scenario: cells[1], check: cells[2], section: cells[3] }] : []
    })
}

function names(row: Row, scenario: string, id: string): boolean {
  if (row.scenario !== scenario) return false
  return row.check.endsWith('*') ? id.startsWith(row.check.slice(0, -1)) : row.check === id
}

const text = readFileSync(new URL('../../../docs/findings.md', import.meta.url), 'utf8')
const rows = rowsOf(text)
const sections = [...text.matchAll(/^## (\d+)\. /gm)].map((match) => match[1])

/** Scenario and check of every violation. */
const violations = (async (): Promise<{ scenario: string; id: string }[]> => {
  const selection = models()
  const tasks = selection.scenarios
    .filter((one) => !one.deep)
    .flatMap((scenario): Task[] => kernelsFor(selection.model, scenario, [KERNEL]).map((kernel) => ({ scenario, kernel })))
  const runs = await runAll(selection, tasks, { with: [], without: [], explore: { jobs: 2 } })
  assert.equal(runs.length, tasks.length)
  for (const { exploration } of runs) {
    const { scenario } = exploration.program
    assert.ok(exploration.complete, `${scenario}: the search is not complete`)
    assert.notEqual(exploration.verdict, 'vacuous', `${scenario}: what it is about never happens`)
  }
  return runs.flatMap(({ exploration }) => failed(exploration).map((id) => ({ scenario: exploration.program.scenario, id })))
})()

test(`every check that fails on ${KERNEL} is explained in docs/findings.md`, async () => {
  const unexplained = (await violations).filter(({ scenario, id }) => !rows.some((row) => names(row, scenario, id)))
  assert.deepEqual(
    unexplained.map(({ scenario, id }) => `| \`${scenario}\` | \`${id}\` | |`),
    [],
  )
})

test('no row of the table in docs/findings.md is of a check that passes', async () => {
  const seen = await violations
  const stale = rows.filter((row) => !seen.some(({ scenario, id }) => names(row, scenario, id)))
  assert.deepEqual(stale, [])
})

test('every row of the table leads to a section of docs/findings.md', () => {
  for (const { scenario, section } of rows) assert.ok(sections.includes(section), `${scenario}: no section ${section}`)
})
