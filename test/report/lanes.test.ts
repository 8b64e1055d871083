import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { renderCounterexample } from '../../src/report/lanes.ts'
import { failuresOf, type Run } from '../../src/report/run.ts'
import { deadlockRun, fusedRun, livelockRun, lostWakeRun, warnRun } from './models.ts'

const RUNS: readonly [string, Run][] = [
  ['lost-wake', lostWakeRun],
  ['warn', warnRun],
  ['deadlock', deadlockRun],
  ['livelock', livelockRun],
  ['fused', fusedRun],
]

function render(run: Run, width = 100, colour = false): string {
  const { scenario, kernel } = run.exploration.program
  return renderCounterexample(run, failuresOf(run)[0].verdict, { colour, width, command: `putpage check ${scenario} --kernel ${kernel}` })
}

// The texts in golden/ are for reading: when one changes, look at it. UPDATE_GOLDEN=1 writes them.
for (const [name, run] of RUNS) {
  test(`${name} reads as in golden/${name}.txt`, () => {
    const file = `test/report/golden/${name}.txt`
    const text = render(run)
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text)
    assert.ok(existsSync(file), `${file} is missing: run with UPDATE_GOLDEN=1 from the package's root`)
    assert.equal(text, readFileSync(file, 'utf8'))
  })

  test(`${name} fits every width and has no space at the end of a line`, () => {
    for (const width of [40, 60, 72, 80, 100, 140]) {
      for (const line of render(run, width).split('\n')) {
        if (line.startsWith('again')) continue
        assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`)
        assert.equal(line, line.trimEnd())
      }
    }
  })

  test(`${name} has colours only when asked, and the same text with them`, () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI escapes begin with one.
    const ansi = /\u001b\[\d+m/g
    assert.doesNotMatch(render(run), ansi)
    assert.match(render(run, 100, true), ansi)
    assert.equal(render(run, 100, true).replace(ansi, ''), render(run))
  })
}

test('two threads stand side by side at 80 columns and in one column at 50', () => {
  assert.match(render(lostWakeRun, 80), / \| -- truncate/)
  assert.doesNotMatch(render(lostWakeRun, 50), / \| /)
})

test('four threads stand in one column', () => {
  assert.doesNotMatch(render(deadlockRun, 140), / \| /)
})

test('a count is shown as the kernel has it', () => {
  assert.match(render(lostWakeRun), /_refcount 1 → 1025/)
  assert.match(render(lostWakeRun), /page: count 1025 \(held by: base 1, gup pin 1\)/)
})

test('only switches away from a thread that could go on are places for a delay', () => {
  const text = render(lostWakeRun)
  assert.match(text, /dio, step 1: after try_grab_folio \(kernel\/mm\/gup\.ts:132\)/)
  assert.doesNotMatch(text, /truncate, step 8: after/)
})

test('a reconstructed kernel says so', () => {
  assert.match(render(warnRun), /v5\.18 is a reconstruction/)
})
