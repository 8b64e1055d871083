import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { compileFor, select } from '../../src/cli/models.ts'
import { explore } from '../../src/engine/explore.ts'
import { searchSmall } from '../../src/engine/small-search.ts'
import { modelList } from '../../src/studio/answers.ts'
import { checkPage, ROOM } from '../../src/studio/check-page.ts'
import { writeExport } from '../../src/studio/export.ts'
import { putpage, ROOT } from '../cli/putpage.ts'
import { type Browser, noBrowser, serious, startBrowser } from './browser.ts'

const skip = noBrowser()
const directory = mkdtempSync(join(tmpdir(), 'putpage-export-'))
const selection = select(['truncate-against-direct-io', 'two-dax-faults', 'memory-failure-of-xfs-page'])
let browser: Browser

before(async () => {
  if (skip === false) browser = await startBrowser()
})

after(async () => {
  if (skip === false) await browser.close()
  rmSync(directory, { recursive: true })
})

test('the search without generated code says what the explorer says', async () => {
  for (const scenario of selection.scenarios) {
    const program = compileFor(selection.model, scenario, 'v6.1', { with: [], without: [] })
    const explored = await explore(program, { jobs: 1 })
    const small = searchSmall(explored.program, { maxStates: 50_000 })
    assert.equal(small.verdict, explored.verdict, scenario.name)
    assert.equal(small.states, explored.states, scenario.name)
    assert.equal(small.transitions, explored.transitions, scenario.name)
    const failed = explored.checks.filter(({ outcome }) => outcome === 'violation')
    assert.deepEqual(
      [...small.failures].map(({ check, steps }) => [check, steps.length]).sort(),
      failed.map(({ check, counterexample }) => [check, counterexample?.steps.length]).sort(),
      scenario.name,
    )
  }
})

test('at its limit it says that it does not know', () => {
  const program = compileFor(selection.model, selection.scenarios[1], 'v6.1', { with: [], without: [] })
  const { verdict, limit } = searchSmall(program, { maxStates: 50 })
  assert.equal(verdict, 'inconclusive')
  assert.match(limit ?? '', /50 states reached/)
})

test('an export opens from a disk: verdicts, a run played, searched again, and nothing that needs the model', { skip }, async () => {
  const tasks = selection.scenarios.slice(0, 2).map((scenario) => ({ scenario, kernel: 'v6.1' }))
  const { runs } = await writeExport(join(directory, 'site'), modelList(selection), tasks, { traced: [] })
  assert.equal(runs, 2)
  const page = await browser.page(pathToFileURL(join(directory, 'site/index.html')).href)
  await page.locator('.matrix').waitFor()
  assert.match(await page.locator('.matrix').innerText(), /✖ lost-wake\s+\d+ states/)
  await page.locator('.play').click()
  await page.locator('.play', { hasText: 'stop' }).waitFor({ state: 'detached' })
  assert.match(await page.locator('.matrix').innerText(), /✖ lost-wake[\s\S]*✓ pass/)
  await page.locator('td.v-violation a').click()
  assert.match(await page.locator('.summary').innerText(), /Who waits\s+truncate/)
  await page.locator('.source').waitFor()
  assert.deepEqual(await serious(page), [])

  await page.getByRole('link', { name: 'The order' }).click()
  assert.match(await page.locator('.drop').innerText(), /No order has been computed/)
  // Without the model's word nothing is called sound.
  await page.getByRole('link', { name: 'A real trace' }).click()
  const traces = (name: string): string => join(ROOT, 'test/traces', name)
  await page.locator('input[type=file]').setInputFiles([traces('v6.1/dax.dat')])
  await page.locator('.tracehead').waitFor()
  assert.match(await page.locator('.tracehead').innerText(), /\? no error found, but without the model/)
  assert.deepEqual(browser.wrong, [])
  await page.close()
})

test('putpage trace --html: one file with the finding, the life of its page and a timeline', { skip }, async () => {
  const file = join(directory, 'leak.html')
  const { code, err } = putpage('trace', 'test/traces/selftests/v6.1-hmm-leak.dat', '--html', file)
  assert.equal(code, 1, err)
  assert.ok(statSync(file).size < 2_000_000)
  const page = await browser.page(pathToFileURL(file).href)
  assert.match(await page.locator('.tracehead').innerText(), /✖ 1 error found[\s\S]*Left out/)
  assert.match(await page.locator('.findings').innerText(), /dmirror_migrate_to_device\(\)/)
  // It opens with the page of the task that the finding names first.
  const task = /first: (\S+), on/.exec(await page.locator('.findings .pages').first().innerText())?.[1]
  assert.ok(task !== undefined)
  await page.locator('.life').waitFor()
  assert.equal(await page.locator('.findings .pages button').first().getAttribute('aria-pressed'), 'true')
  assert.ok((await page.locator('.lifeside').innerText()).includes(`taken by ${task}`), task)
  assert.match(await page.locator('.lifeside').innerText(), /still held at the end[\s\S]*dmirror_migrate_to_device/)
  assert.deepEqual(await serious(page), [])
  assert.deepEqual(browser.wrong, [])
  await page.close()
})

test('putpage check --html writes a report, and says what it leaves out', () => {
  const file = join(directory, 'check.html')
  const { code, err } = putpage('check', 'gup-of-mapped-dax', '--kernel', 'v5.15+seed', '--html', file)
  assert.equal(code, 1, err)
  assert.ok(statSync(file).size < 2_000_000)
})

test('a report leaves out what would make it too large, and says so; what it takes fits beside the player', { skip }, async () => {
  const failing = select(['truncate-against-direct-io', 'gup-of-mapped-dax'])
  const runs = []
  for (const scenario of failing.scenarios) {
    const kernel = scenario.name === 'gup-of-mapped-dax' ? 'v5.15+seed' : 'v6.1'
    const exploration = await explore(compileFor(failing.model, scenario, kernel, { with: [], without: [] }), { jobs: 1 })
    assert.equal(exploration.verdict, 'violation', scenario.name)
    runs.push({ exploration })
  }
  const file = join(directory, 'small.html')
  writeFileSync(
    file,
    checkPage(failing, runs, () => 'putpage check', 1),
  )
  const page = await browser.page(`${pathToFileURL(file).href}#/runs`)
  await page.locator('table').waitFor()
  assert.match(await page.locator('.note').innerText(), /Left out to keep this file small: the counterexamples of 1 failed runs/)
  assert.equal(await page.locator('tbody tr').count(), 2)
  assert.equal(await page.locator('tbody a').count(), 1)
  await page.close()
  const player = ['studio.js', 'studio.css'].reduce((sum, name) => sum + statSync(join(ROOT, 'build/studio', name)).size, 0)
  assert.ok(player + ROOM < 1_990_000, `${player} bytes of the player and ${ROOM} of counterexamples`)
})
