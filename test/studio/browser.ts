/** A headless Chromium that tests drive as a person would; whatever it asks for beyond loopback is noted. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'

/** Why there is nothing to drive; false if there is. In CI that is a failure, not a reason to skip. */
export function noBrowser(): string | false {
  if (existsSync(CHROMIUM)) return false
  assert.ok(!process.env.CI, `no ${CHROMIUM} here`)
  return 'no chromium'
}

export interface Browser {
  readonly context: BrowserContext
  /** Requests that left loopback and this machine's files, errors of the page and of its console. */
  readonly wrong: string[]
  page(address: string, look?: Look): Promise<Page>
  close(): Promise<void>
}

export interface Look {
  readonly width?: number
  readonly height?: number
  readonly theme?: 'light' | 'dark'
}

export async function startBrowser(): Promise<Browser> {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-chromium-'))
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  context.setDefaultTimeout(15_000)
  const wrong: string[] = []
  context.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:\d+\/|file:|data:|blob:)/.test(request.url())) wrong.push(`asked for ${request.url()}`)
  })
  return {
    context,
    wrong,
    async page(address, { width = 1280, height = 800, theme = 'light' } = {}) {
      const page = await context.newPage()
      page.on('pageerror', (error) => wrong.push(`${error.message} in ${address}`))
      page.on('console', (message) => {
        if (message.type() === 'error') wrong.push(`${message.text()} in ${address}`)
      })
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: theme })
      await page.goto(address)
      return page
    },
    async close() {
      await context.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds serious or critical on a page; empty is good. */
export async function serious(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = (await page.evaluate("axe.run(document, { resultTypes: ['violations'], preload: false })")) as {
    readonly violations: readonly {
      readonly id: string
      readonly impact: string
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
    }[]
  }
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0]?.html.slice(0, 160)} ${nodes[0]?.failureSummary.slice(0, 300)}`)
}

/** True if nothing of the page is wider than its window. */
export async function fits(page: Page): Promise<boolean> {
  return (await page.evaluate('document.documentElement.scrollWidth <= innerWidth')) as boolean
}
