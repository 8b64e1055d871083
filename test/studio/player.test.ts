import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Browser, fits, noBrowser, serious, startBrowser } from './browser.ts'
import { type Report, writeReports } from './reports.ts'

const skip = noBrowser()
const directory = mkdtempSync(join(tmpdir(), 'putpage-report-'))
let browser: Browser
let reports: ReadonlyMap<string, Report> = new Map()

before(async () => {
  if (skip !== false) return
  browser = await startBrowser()
  reports = await writeReports(directory, [
    ['gup-of-mapped-dax', 'v5.15+seed'],
    ['truncate-against-direct-io', 'v6.1'],
    ['nouveau-unload-of-mapped-page', 'v5.10'],
    ['two-dax-faults', 'v7.3'],
    ['device-fault-against-dontneed-of-all', 'v7.3'],
  ])
})

after(async () => {
  if (skip === false) await browser.close()
  rmSync(directory, { recursive: true })
})

function report(name: string): Report {
  const found = reports.get(name)
  assert.ok(found, name)
  return found
}

test('the counterexample of the mail (413): a report says who did what wrong and who held the page, and is played by keys', { skip }, async () => {
  const { address, bytes } = report('gup-of-mapped-dax')
  assert.ok(bytes < 2_000_000, `${bytes} bytes`)
  const page = await browser.page(address)
  const told = await page.locator('.summary').innerText()
  assert.match(told, /✖ warn/)
  assert.match(told, /Who did it\s+program, in try_get_page\(\) of include\/linux\/mm\.ts:\d+, step \d+/)
  assert.match(told, /The scenario\s+read\(\) into a mapping of a DAX file/)
  assert.match(told, /Who holds page\s+nobody[\s\S]*its count is 0 from the first step to the last/)
  // The step that fails is named by what its check read, not by what else it did.
  assert.match(await page.locator('.cell.fails').innerText(), /try_get_page[\s\S]*reads _refcount: 0/)
  assert.match(told, /putpage check gup-of-mapped-dax --kernel v5\.15\+seed/)

  // It stands at the failure; the source shows the line, the state the page.
  const steps = Number(/step (\d+) of \1/.exec(await page.locator('.where').innerText())?.[1])
  assert.ok(steps >= 3)
  assert.match(await page.locator('.cm-failed').innerText(), /WARN_ON_ONCE\(/)
  assert.match(await page.locator('.mirror').innerText(), /mirrors try_get_page\(\) of include\/linux\/mm\.h/)
  assert.match(await page.locator('.page').innerText(), /fsdax[\s\S]*_refcount\s*0/)

  await page.keyboard.press('Home')
  assert.match(await page.locator('.where').innerText(), /start/)
  await page.keyboard.press('ArrowRight')
  assert.match(await page.locator('.where').innerText(), /step 1 /)
  assert.match(await page.locator('.line.lit').first().innerText(), /Δ/)
  assert.match(page.url(), /at=1/)
  await page.keyboard.press('v')
  assert.match(await page.locator('.where').innerText(), new RegExp(`step ${steps} `))
  await page.keyboard.press('?')
  assert.match(await page.locator('.keys').innerText(), /next, previous change of the chosen page/)
  // Letters can be switched off; arrows stay.
  const singleKeys = page.getByLabel('letters and digits act')
  await singleKeys.uncheck()
  await page.locator('.summary').click()
  await page.keyboard.press('Home')
  await page.keyboard.press('v')
  assert.match(await page.locator('.where').innerText(), /start/)
  await singleKeys.check()
  // A ticked box does not keep the keys to itself.
  await page.keyboard.press('v')
  await page.locator('.where', { hasText: new RegExp(`step ${steps} `) }).waitFor()
  await page.keyboard.press('Escape')
  await page.close()
})

test("what went wrong on the way to a failure is told, and an order of one's own is told apart from it", { skip }, async () => {
  const page = await browser.page(report('device-fault-against-dontneed-of-all').address)
  const told = await page.locator('.summary').innerText()
  const before = /Wrong before\s+step (\d+): [\s\S]*What failed in the end may follow from it/.exec(told)
  assert.ok(before, told)
  assert.match(told, /Ordinary pages\s+ram0: nobody/)
  await page
    .locator('.summary .link', { hasText: new RegExp(`^step ${before[1]}$`) })
    .first()
    .click()
  await page.locator('.where', { hasText: `step ${before[1]} ` }).waitFor()
  assert.match(await page.locator('.lanes .current.cell, .lanes td.current .cell').first().innerText(), /✖/)
  assert.deepEqual(browser.wrong, [])
  await page.close()
})

test('a lost wake: jumps, folded reads, another schedule tried by hand, and the address holds it all', { skip }, async () => {
  const { address } = report('truncate-against-direct-io')
  const page = await browser.page(address)
  const told = await page.locator('.summary').innerText()
  assert.match(told, /Who waits\s+truncate sleeps in wait_page_idle\(\)[\s\S]*nobody is left to wake it/)
  assert.match(told, /Last step\s+dma, in folio_put_refs\(\)/)
  assert.match(told, /Who holds page\s+base reference[\s\S]*its count: 1 → 2 by dma \(GUP\) step \d+ → 1 by dma \(GUP\) step \d+/)

  const where = (): Promise<string> => page.locator('.where').innerText()
  const folded = await page.locator('.lanes thead th').count()
  await page.keyboard.press('f')
  const whole = await page.locator('.lanes thead th').count()
  assert.ok(whole > folded, `${whole} columns, ${folded} folded`)
  await page.keyboard.press('f')
  await page.keyboard.press('Home')
  await page.keyboard.press('p')
  assert.match(await page.locator('.page .lit').first().innerText(), /_refcount[\s\S]*1[\s\S]*2/)
  await page.keyboard.press('Home')
  await page.keyboard.press('Shift+ArrowRight')
  const first = await where()
  await page.keyboard.press('Shift+ArrowRight')
  assert.notEqual(await where(), first)
  await page.keyboard.press('Shift+ArrowLeft')
  assert.equal(await where(), first)

  // Play goes on by itself until it is paused.
  await page.keyboard.press('Home')
  await page.keyboard.press(' ')
  await page.locator('.where', { hasText: 'step 2' }).waitFor()
  await page.keyboard.press(' ')

  // Before the last put truncate sleeps already; take the put earlier instead, and nothing hangs.
  await page.goto(`${address}#/play?at=11`)
  await page.reload()
  const put = page.locator('.take', { hasText: 'folio_put_refs' })
  await put.click()
  assert.match(await where(), /step 12 of 12 by hand/)
  for (let i = 0; i < 60 && (await page.locator('.take').count()) > 0; i++) await page.locator('.take').first().click()
  assert.match(await page.locator('.properties').innerText(), /✓ finally[\s\S]*holds/)
  assert.equal(await page.locator('.properties .bad').count(), 0)
  assert.match(page.url(), /from=11&then=/)
  const there = await where()
  const copy = await browser.page(page.url())
  assert.equal(await copy.locator('.where').innerText(), there)
  await copy.locator('.whatif header button').click()
  assert.match(await copy.locator('.where').innerText(), /step 11 of \d+/)
  await copy.close()
  await page.close()
})

test('one failed check after another: a livelock says what repeats', { skip }, async () => {
  const { address } = report('nouveau-unload-of-mapped-page')
  const page = await browser.page(address)
  const checks = page.getByLabel('Failed check')
  const livelock = (await checks.locator('option').allInnerTexts()).findIndex((text) => text.startsWith('livelock'))
  await checks.selectOption(String(livelock))
  assert.match(
    await page.locator('.summary').innerText(),
    /What repeats\s+steps \d+ to \d+, for ever: process keeps moving[\s\S]*Who waits\s+unbind in wait_for_completion/,
  )
  assert.match(page.url(), /check=[0-9a-f]{8}/)
  assert.equal(await page.locator('.overview .cycle').count(), 1)
  // Forwards from the end leads into the cycle again.
  await checks.blur()
  await page.keyboard.press('End')
  const last = Number(/step (\d+)/.exec(await page.locator('.where').innerText())?.[1])
  await page.keyboard.press('ArrowRight')
  const at = Number(/step (\d+)/.exec(await page.locator('.where').innerText())?.[1])
  assert.ok(at < last, `${at} after ${last}`)
  await page.close()
})

test('wide and narrow, light and dark: everything fits, and axe finds nothing serious', { skip }, async () => {
  for (const theme of ['light', 'dark'] as const) {
    for (const width of [1280, 2560]) {
      for (const { address: at } of [report('two-dax-faults'), report('truncate-against-direct-io')]) {
        const page = await browser.page(at, { width, height: width === 1280 ? 800 : 1300, theme })
        await page.locator('.whatif').waitFor()
        assert.ok(await fits(page), `${at} at ${width}`)
        assert.deepEqual(await serious(page), [], `${at} ${theme} ${width}`)
        await page.close()
      }
    }
  }
  assert.deepEqual(browser.wrong, [])
})
