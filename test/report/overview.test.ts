import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exploration, Progress } from '../../src/engine/verdict.ts'
import { boundsLine } from '../../src/report/bounds.ts'
import { combineExitCodes, exitCode } from '../../src/report/exit-code.ts'
import { progressLine, progressText } from '../../src/report/progress.ts'
import type { Run } from '../../src/report/run.ts'
import { renderTable } from '../../src/report/table.ts'
import { livelockRun, lostWakeRun, warnRun } from './models.ts'

const as = (run: Run, change: Partial<Exploration>): Run => ({ exploration: { ...run.exploration, ...change } })
const passing = as(livelockRun, { verdict: 'pass', checks: [{ check: 0, outcome: 'pass' }], states: 5005376, seconds: 12.34 })
const vacuous = as(passing, { verdict: 'vacuous', sometimes: [{ name: 'a pin was held', reached: false }] })
const stopped = as(passing, { verdict: 'inconclusive', complete: false, limit: '--max-states 1000 reached', fingerprint: true, grain: 'access' })

test('the table has a line a run and a line of totals', () => {
  const expected = `
scenario         kernel                   states  seconds  verdict
dio-truncate     v6.1                     12,345      0.5  violation: lost-wake
pin-against-zap  v5.18 +no-ptl-in-gup     12,345      0.5  violation: warn
two-faults       v6.1                  5,005,376     12.3  pass
                 v6.1                  5,005,376     12.3  vacuous: never a pin was held
                 v6.1                  5,005,376     12.3  inconclusive: --max-states 1000 reached

5 runs: 1 pass, 2 violation, 1 vacuous, 1 inconclusive
`
  assert.equal(`\n${renderTable([lostWakeRun, warnRun, passing, vacuous, stopped], { colour: false, width: 100 })}`, expected)
})

test('bounds say what was not searched', () => {
  assert.equal(
    boundsLine(stopped),
    '2 threads, 1 page, not every interleaving (--max-states 1000 reached), access grain, sequentially consistent, not exact (64-bit fingerprints)',
  )
})

test('exit codes: 2 over 1 over 3 over 0, vacuous is a failure', () => {
  assert.equal(exitCode([]), 0)
  assert.equal(exitCode([passing]), 0)
  assert.equal(exitCode([passing, stopped]), 3)
  assert.equal(exitCode([passing, vacuous]), 1)
  assert.equal(exitCode([stopped, lostWakeRun]), 1)
  assert.equal(combineExitCodes([0, 1, 3, 2]), 2)
})

test('progress is one line on a terminal and nothing elsewhere', () => {
  const written: string[] = []
  const stream = (isTTY: boolean) => ({ isTTY, columns: 60, write: (text: string) => written.push(text) })
  const progress = (seconds: number): Progress => ({ states: 1204332, transitions: 0, depth: 48, frontier: 20114, bytes: 310e6, seconds })
  const silent = progressLine(stream(false))
  silent.update(progress(1))
  silent.clear()
  assert.equal(written.join(), '')

  const line = progressLine(stream(true), 'v6.1')
  line.update(progress(1))
  line.update(progress(1.01))
  assert.ok(written[0].length <= 60 + '\r\u001b[K'.length)
  line.clear()
  line.clear()
  assert.equal(written.slice(1).join(), '\r\u001b[K')
  assert.equal(progressText(progress(2)), '1,204,332 states, 602,166/s, depth 48, frontier 20,114, 310 MB, 2.0 s')
})
