/** How fast the studio shows a recording: first picture, timeline, frames while zooming and panning, memory. Run as `node build/bench/studio.js FILE [IOMEM]`. */
import { execFileSync } from 'node:child_process'
import { startStudio } from '../src/studio/server.ts'
import { startBrowser } from '../test/studio/browser.ts'

const FRAMES = 150

/** Zooms in, moves sideways, scrolls and zooms out, a step a frame; gives the times between frames and those of drawing, in milliseconds. */
const DRIVE = `(async () => {
  const canvas = document.querySelector('.canvasbox canvas')
  const box = canvas.getBoundingClientRect()
  const wheel = (how) => canvas.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true, clientX: box.left + 600, clientY: box.top + 200, ...how }))
  const frames = []
  const draws = []
  let last = await new Promise(requestAnimationFrame)
  for (let i = 0; i < ${FRAMES}; i++) {
    if (i < 40) wheel({ ctrlKey: true, deltaY: -100 })
    else if (i < 80) wheel({ shiftKey: true, deltaY: 110 })
    else if (i < 110) wheel({ deltaY: 300 })
    else wheel({ ctrlKey: true, deltaY: 100 })
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    draws.push(Number(canvas.dataset.drawn))
    last = now
  }
  const sorted = (list) => list.sort((a, b) => a - b)
  return { frames: sorted(frames), draws: sorted(draws) }
})()`

/** What the browser's page processes took so far: kilobytes, seconds of CPU. On a machine that others use the clock tells little. */
function renderers(): { readonly rss: number; readonly seconds: number }[] {
  return execFileSync('ps', ['-eo', 'rss,cputimes,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('--type=renderer') && line.includes('putpage-chromium-'))
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([rss, seconds]) => ({ rss, seconds }))
}

const files = process.argv.slice(2)
if (files.length === 0) {
  process.stderr.write('name a recording: node build/bench/studio.js trace.dat [iomem]\n')
  process.exit(2)
}
const studio = await startStudio(0)
const browser = await startBrowser()
try {
  const page = await browser.page(`${studio.url}#/trace`)
  const started = performance.now()
  const after = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s, ${Math.max(...renderers().map(({ seconds }) => seconds))} s of CPU`
  await page.locator('input[type=file]').setInputFiles(files)
  await page.locator('.reading canvas[data-drawn]').waitFor({ timeout: 400_000 })
  const say = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(22)} ${value}\n`)
  say('first picture', after())
  await page.locator('.canvasbox canvas[data-drawn]').waitFor({ timeout: 400_000 })
  say('timeline', after())
  const { frames, draws } = (await page.evaluate(DRIVE)) as { readonly frames: readonly number[]; readonly draws: readonly number[] }
  const at = (list: readonly number[], share: number): string => `${list[Math.floor((list.length - 1) * share)].toFixed(1)} ms`
  say('frame, median', at(frames, 0.5))
  say('frame, 95 %', at(frames, 0.95))
  say('drawing, median, most', `${at(draws, 0.5)}, ${at(draws, 1)}`)
  say('largest page process', `${(Math.max(...renderers().map(({ rss }) => rss)) / 1024).toFixed(0)} MiB`)
  await page.locator('.headline:not(:has-text("being asked"))').waitFor({ timeout: 400_000 })
  say('held to the model', after())
} finally {
  await browser.close()
  await studio.close()
}
