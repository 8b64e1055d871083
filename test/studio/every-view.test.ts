// What holds for every view: axe finds nothing serious in both themes and widths, the keyboard gets to every control in the order of the page and
// shows where it is, and nothing moves by itself.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Studio, startStudio } from '../../src/studio/server.ts'
import { type Browser, fits, noBrowser, serious, startBrowser } from './browser.ts'
import { smallOrder } from './small-order.ts'

const skip = noBrowser()
let browser: Browser
let studio: Studio
let cache: string

before(async () => {
  if (skip !== false) return
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

/** Each view by its address, what shows that it is there, and whether the server is to refuse something on the way. */
const VIEWS: readonly { readonly name: string; readonly address: string; readonly there: string; readonly refused?: true }[] = [
  { name: 'verdicts', address: '#/verdicts?q=gup-of', there: '.matrix' },
  { name: 'verdicts, none', address: '#/verdicts?q=no-such-thing', there: '.empty' },
  { name: 'the order', address: '#/order?set=first,third', there: '.thisset' },
  { name: 'a trace, none yet', address: '#/trace', there: '.drop' },
  { name: 'a counterexample', address: '#/play?scenario=gup-of-mapped-dax&kernel=v5.15%2Bseed', there: '.player' },
  { name: 'no run chosen', address: '#/play', there: '.empty' },
  { name: 'a run that makes no sense', address: '#/play?scenario=two-device-faults&kernel=v5.10', there: '.error', refused: true },
]

/** Controls that a person can see. What is `display: none` or of no size cannot be reached and need not be. */
const CONTROLS = 'button:not([disabled]), a[href], input:not([disabled]), select, summary'

/** Walks with Tab until it comes round; gives the controls it did not get to, those without a sign of focus, and those out of order. */
async function walk(page: Page): Promise<{ readonly missed: string[]; readonly unseen: string[]; readonly turned: string[] }> {
  await page.evaluate('document.activeElement?.blur(); window.scrollTo(0, 0); window.walked = []')
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press('Tab')
    const more = await page.evaluate(`(() => {
      const at = document.activeElement
      if (!at || at === document.body || window.walked.includes(at)) return false
      window.walked.push(at)
      const seen = [at, at.parentElement, at.closest('label')].some((one) => one && getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) > 0)
      at.dataset.seen = String(seen || at.shadowRoot !== null)
      return true
    })()`)
    if (!more) break
  }
  return (await page.evaluate(`(() => {
    const said = (one) => one.outerHTML.slice(0, 120)
    const visible = (one) => one.getClientRects().length > 0 && one.tabIndex >= 0 && one.closest('details:not([open]) > :not(summary)') === null
    const { walked } = window
    return {
      missed: [...document.querySelectorAll(${JSON.stringify(CONTROLS)})].filter((one) => visible(one) && !walked.includes(one)).map(said),
      unseen: walked.filter((one) => one.dataset.seen !== 'true').map(said),
      turned: walked.filter((one, i) => i > 0 && (walked[i - 1].compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING) !== 0).map(said),
    }
  })()`)) as Awaited<ReturnType<typeof walk>>
}

for (const { name, address, there, refused } of VIEWS) {
  test(`${name}: both themes and widths, by keyboard, still`, { skip }, async () => {
    const page = await browser.page(`${studio.url}${address}`)
    await page.locator(there).first().waitFor({ timeout: 60_000 })
    for (const width of [1280, 2560]) {
      for (const theme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: width === 1280 ? 800 : 1300 })
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
        assert.deepEqual(await serious(page), [], `${theme} ${width}`)
        assert.ok(await fits(page), `${theme} ${width}: wider than the window`)
      }
    }
    assert.deepEqual(await walk(page), { missed: [], unseen: [], turned: [] })
    const moving = await page.evaluate(`[...document.querySelectorAll('*')].filter((one) => {
      const { animationName, transitionDuration } = getComputedStyle(one)
      return animationName !== 'none' || transitionDuration.split(',').some((time) => parseFloat(time) > 0)
    }).length`)
    assert.equal(moving, 0)
    if (refused) {
      assert.match(await page.locator('.error').innerText(), /'two-device-faults' makes no sense on v5\.10: it does on v6\.1.*Back to the verdicts/)
      // The browser's own word on the refusal.
      assert.match(browser.wrong.splice(0).join(), /status of 400/)
    }
    await page.close()
  })
}

test('while a model is loaded, and where it does not come, the page says so', { skip }, async () => {
  const page = await browser.page('about:blank')
  let let_go: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    let_go = resolve
  })
  await page.route('**/api/model', async (route) => {
    await held
    await route.fulfill({ status: 500, body: 'kernel/mm/gup.ts:3:1: this does not compile\n\n  3 | export fun\n    | ^' })
  })
  await page.goto(`${studio.url}#/verdicts`)
  await page.locator('.empty').waitFor()
  assert.match(await page.locator('[role=status]').innerText(), /Loading the model/)
  assert.deepEqual(await serious(page), [])
  let_go()
  await page.locator('.error').waitFor()
  assert.match(await page.locator('.error').innerText(), /gup\.ts:3:1: this does not compile/)
  assert.match(await page.locator('.error pre').innerText(), /3 \| export fun/)
  assert.deepEqual(await serious(page), [])
  browser.wrong.length = 0
  await page.close()
})

test('a search that cannot be made is told in its cell, and above with its reason', { skip }, async () => {
  const page = await browser.page(`${studio.url}#/verdicts?q=gup-of-mapped-dax`)
  await page.route('**/api/news*', async (route) => {
    const news = [
      { kind: 'error', scenario: 'gup-of-mapped-dax', kernel: 'v5.10', message: 'changes/mine.ts:9:3: this cannot be compiled\n\n  9 | while (true)' },
      { kind: 'end', stopped: false },
    ]
    await route.fulfill({ contentType: 'text/event-stream', body: news.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') })
  })
  await page.getByLabel('run gup-of-mapped-dax on v5.10', { exact: true }).click()
  await page.locator('.error').waitFor()
  assert.match(await page.locator('.error').innerText(), /gup-of-mapped-dax v5\.10: changes\/mine\.ts:9:3: this cannot be compiled/)
  assert.match(await page.getByRole('button', { name: 'run gup-of-mapped-dax on v5.10 again' }).innerText(), /! not searched/)
  assert.deepEqual(await serious(page), [])
  await page.close()
})

test('nothing went wrong on the way', { skip }, () => {
  assert.deepEqual(browser.wrong, [])
})
