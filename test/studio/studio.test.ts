import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Studio, startStudio } from '../../src/studio/server.ts'
import { ROOT } from '../cli/putpage.ts'
import { type Browser, fits, noBrowser, serious, startBrowser } from './browser.ts'
import { smallOrder } from './small-order.ts'

const skip = noBrowser()
const traces = (name: string): string => join(ROOT, 'test/traces', name)
let browser: Browser
let studio: Studio
let cache: string

before(async () => {
  if (skip !== false) return
  // What was searched by others is not to be seen here.
  cache = mkdtempSync(join(tmpdir(), 'putpage-cache-'))
  process.env.PUTPAGE_CACHE = cache
  browser = await startBrowser()
  studio = await startStudio(0, smallOrder)
})

after(async () => {
  if (skip !== false) return
  await browser.close()
  await studio.close()
  rmSync(cache, { recursive: true })
})

test('verdicts: searched, filtered, sorted, run, run with a fix taken out, stopped, opened', { skip }, async () => {
  const page = await browser.page(`${studio.url}#/verdicts`)
  await page.locator('.matrix').waitFor({ timeout: 60_000 })
  assert.match(await page.locator('.verdicts .note').innerText(), /Nothing has been searched yet/)
  await page.getByLabel('Search', { exact: true }).fill('gup-of-mapped-dax')
  await page.locator('.matrix tbody tr').nth(0).waitFor()
  assert.match(await page.locator('.matrix tbody').innerText(), /gup-of-mapped-dax/)
  await page.getByLabel('run gup-of-mapped-dax on v5.15+seed').click()
  const cell = page.locator('td.v-violation a').first()
  await cell.waitFor({ timeout: 60_000 })
  assert.match(await cell.innerText(), /✖ warn\s+\d+ states/)
  assert.match(page.url(), /q=gup-of-mapped-dax/)

  await page.getByLabel('Search', { exact: true }).fill('nothing like it')
  assert.match(await page.locator('.empty').innerText(), /No scenario fits/)
  await page.getByLabel('Search', { exact: true }).fill('truncate-against-pin')

  // With a fix taken out the verdict is another.
  await page.locator('.changes summary').click()
  await page.getByLabel('Search switches').fill('f4f451a16dd1')
  await page.locator('.sheet select').first().selectOption('without')
  await page.locator('.changes summary').click()
  assert.match(page.url(), /without=/)
  await page.getByLabel('run truncate-against-pin on v6.1', { exact: true }).click()
  const without = page.locator('td.v-violation a').first()
  await without.waitFor({ timeout: 60_000 })
  assert.match(await without.innerText(), /lost-wake/)

  // Many, and stopped.
  await page.getByLabel('Search', { exact: true }).fill('')
  await page.locator('.play').click()
  await page.locator('.play', { hasText: 'stop' }).click()
  await page.locator('.play', { hasText: 'run' }).waitFor()
  assert.deepEqual(await serious(page), [])
  assert.ok(await fits(page))

  // Another session knows what this one searched.
  const next = await startStudio(0)
  const again = await browser.page(`${next.url}#/verdicts?q=gup-of-mapped-dax`)
  await again.locator('td.v-violation a').first().waitFor({ timeout: 60_000 })
  await again.close()
  await next.close()

  await page.goto(`${studio.url}#/play?scenario=gup-of-mapped-dax&kernel=v5.15%2Bseed`)
  assert.match(await page.locator('.summary').innerText(), /Who did it\s+program/)
  await page.close()
})

test('a recording is dropped: a leak, who holds the page, its pairing and its stack', { skip }, async () => {
  const page = await browser.page(`${studio.url}#/trace`)
  assert.match(await page.locator('.drop').innerText(), /Drop a recording here/)
  await page.locator('input[type=file]').setInputFiles([traces('selftests/v6.1-hmm-leak.dat'), traces('selftests/v6.1-hmm-leak.iomem')])
  await page.locator('canvas[data-drawn]').waitFor({ timeout: 60_000 })
  assert.match(await page.locator('.tracehead').innerText(), /✖ 1 error found/)
  const findings = await page.locator('.findings').innerText()
  assert.match(findings, /still held/)
  assert.match(findings, /dmirror_migrate_to_device\(\)/)
  await page.locator('.findings .pages button').first().click()
  await page.locator('.life').waitFor()
  assert.match(await page.locator('.lifeside').innerText(), /still held at the end[\s\S]*dmirror_migrate_to_device/)
  assert.ok((await page.locator('.bar.open').count()) >= 1)
  assert.match(await page.locator('.lifeside').innerText(), /✖ still held: dmirror_migrate_to_device\(\) event \d+/)
  // Where the life leaves the model, and what the model would have had instead, with the functions it comes from.
  const beside = page.locator('.beside')
  await beside.waitFor({ timeout: 60_000 })
  assert.match(await beside.innerText(), /Beside the model of v6\.1: a call of dmirror_migrate_to_device\(\)/)
  assert.match(await beside.locator('.cell.fails').innerText(), /the model forbids this[\s\S]*remove_migration_pte/)
  assert.match(await beside.locator('.instead').innerText(), /→ a put in folio_put_refs\(\)[\s\S]*‹ migrate_vma_finalize\(\) ‹ dmirror_migrate_to_device\(\)/)
  await page.locator('.events .link').first().click()
  assert.match(await page.locator('.lifeside').innerText(), /taken by|held for|by /)
  assert.match(page.url(), /page=0x/)
  // A search that nothing matches says so; where one frame matches, its life is shown.
  await page.getByLabel('Find pages').fill('0xnone')
  await page.locator('.hover', { hasText: 'no page of this recording matches' }).waitFor()
  const other = await page.locator('.findings .pages button[aria-pressed=false]').first().innerText()
  await page.getByLabel('Find pages').fill(other)
  await page.locator('.life', { hasText: `page ${other}` }).waitFor()
  await page.getByLabel('Find pages').fill('')
  // The canvas is moved by keys.
  const before = page.url()
  await page.locator('canvas').focus()
  await page.keyboard.press('w')
  await page.keyboard.press('d')
  await page.waitForTimeout(100)
  assert.notEqual(page.url(), before)
  assert.deepEqual(await serious(page), [])
  await page.close()
})

test('a lost wake in a recording; text; what is no recording', { skip }, async () => {
  const page = await browser.page(`${studio.url}#/trace`, { theme: 'dark', width: 2560, height: 1300 })
  await page.locator('input[type=file]').setInputFiles([traces('selftests/v6.1-xfs-lost-wake.dat'), traces('selftests/v6.1-xfs-lost-wake.iomem')])
  await page.locator('.finding').first().waitFor({ timeout: 60_000 })
  assert.match(await page.locator('.findings').innerText(), /idle, and nobody was woken[\s\S]*__bio_release_pages/)
  await page.locator('.findings .pages button').first().click()
  await page.locator('.life').waitFor()
  assert.match(
    await page.locator('.lifeside').innerText(),
    /✖ idle, and nobody was woken: __bio_release_pages\(\) event \d+[\s\S]*The model of v6\.1 allows this life\. The fault is the kernel's own/,
  )
  assert.match(await page.locator('.events tr.chosen').innerText(), /__bio_release_pages/)
  assert.deepEqual(await serious(page), [])
  assert.ok(await fits(page))

  await page.locator('input[type=file]').setInputFiles([traces('v5.10/hmm.report.txt'), traces('v5.10/iomem')])
  await page.locator('.tracehead', { hasText: 'trace-cmd report text' }).waitFor({ timeout: 60_000 })
  assert.match(await page.locator('.tracehead').innerText(), /no error found/)
  await page.locator('input[type=file]').setInputFiles([join(ROOT, 'package.json')])
  await page.locator('.error').waitFor()
  assert.match(await page.locator('.error').innerText(), /package\.json is no trace that can be read/)
  await page.close()
})

test('the order: changes switched on and off, and the verdicts follow', { skip }, async () => {
  const page = await browser.page(`${studio.url}#/order`)
  await page.locator('.lattice .set').first().waitFor()
  assert.match(
    await page.locator('.ordersaid').innerText(),
    /12 of 32 sets are safe; 12 orders lead to all by safe steps, with groups as one step\. At any time can land 5 fifth\. First of the others can be 1 first/,
  )
  const verdict = page.locator('.thisset .verdict')
  const chosen = page.locator('.thisset')
  const flick = (name: string) => page.getByRole('switch', { name }).click()
  assert.match(await verdict.innerText(), /✓ safe none of the changes/)

  // Each switch acts, and says before what it would do.
  for (const [name, then] of [
    ['first', 'safe'],
    ['second', 'unsafe'],
    ['third', 'unsafe'],
    ['fourth', 'unsafe'],
    ['fifth', 'safe'],
  ]) {
    const label = page.locator('.elements label', { hasText: new RegExp(`\\d ${name}\\b`) })
    assert.match(await label.innerText(), new RegExp(`if on: . ${then}`))
    await flick(name)
    assert.match(await verdict.innerText(), new RegExp(`${then} \\d ${name}`))
    assert.match(page.url(), new RegExp(`set=${name}$`))
    await flick(name)
    assert.doesNotMatch(page.url(), /set=/)
  }

  // Why it is unsafe, what is missing, and what may land next.
  await flick('second')
  assert.match(await chosen.innerText(), /It breaks\s+✖ warn in gup-of-mapped-dax\s+The page has a count of 0/)
  assert.match(await chosen.innerText(), /What is missing\s+\+ add 1 first\s+− or leave out 2 second/)
  await page.getByRole('button', { name: '+ add 1 first' }).click()
  assert.match(await verdict.innerText(), /✓ safe 2 changes: 1 2/)
  assert.match(page.url(), /set=second,first$/)
  assert.match(await page.locator('.planlist').innerText(), /step 1 is where it breaks/)
  await page.getByRole('button', { name: 'first one step earlier' }).click()
  assert.match(await page.locator('.planlist').innerText(), /every step is safe/)
  assert.match(await chosen.innerText(), /May land next\s+✓ 5 fifth\s+✓ together 3 third \+ 4 fourth\s+.*not next: 3 4/)
  await page.getByRole('button', { name: '✓ together 3 third + 4 fourth' }).click()
  assert.match(page.url(), /set=first,second,third\+fourth$/)
  assert.equal(await page.locator('.planlist li').count(), 3)
  await page.getByRole('button', { name: 'apart third + fourth' }).click()
  assert.match(await page.locator('.planlist').innerText(), /step 3 is where it breaks/)

  // Linux's way, and the drawing can be pointed at.
  await page.getByRole('button', { name: "Linux's" }).click()
  assert.equal(await page.locator('.linux .mark').count(), 2)
  assert.match(page.url(), /set=first,second\+third\+fourth$/)
  const dot = page.locator('.lattice .set').nth(1)
  const at = await dot.boundingBox()
  assert.ok(at)
  await page.mouse.click(at.x + at.width / 2, at.y + at.height / 2)
  assert.match(await verdict.innerText(), /✓ safe 1 first/)
  // What decides nothing is drawn if it is asked for.
  assert.equal(await page.locator('.lattice .set').count(), 6)
  await page.getByLabel('draw also what may land at any time').check()
  assert.equal(await page.locator('.lattice .set').count(), 12)
  assert.match(page.url(), /draw=all/)
  assert.deepEqual(await serious(page), [])
  assert.ok(await fits(page))

  // A link opens what was chosen; an answer that cannot be shown is refused with what to do.
  const link = await browser.page(`${studio.url}#/order?set=first,third`, { theme: 'dark', width: 2560, height: 1300 })
  await link.locator('.thisset').waitFor()
  assert.match(await link.locator('.thisset .verdict').innerText(), /✖ unsafe 2 changes: 1 3/)
  assert.deepEqual(await serious(link), [])
  const older = { ...smallOrder, cuts: [{ ...smallOrder.cuts[0], verdicts: undefined }] }
  await link.locator('input[type=file]').setInputFiles({ name: 'order.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(older)) })
  await link.locator('.error').waitFor()
  assert.match(await link.locator('.error').innerText(), /of an older putpage.*Write it again/)
  await link.close()
  await page.close()
})

test('nothing was asked for beyond loopback, and nothing went wrong on the way', { skip }, () => {
  assert.deepEqual(browser.wrong, [])
})
