import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkReport } from '../../src/report/json.ts'
import { escapeXml, renderJunit } from '../../src/report/junit.ts'
import { replaySaved } from '../../src/report/replay.ts'
import { failuresOf } from '../../src/report/run.ts'
import { formatSaved, parseSaved, type SavedCounterexample, saveCounterexample } from '../../src/report/saved.ts'
import { stableId } from '../../src/report/stable-id.ts'
import { livelockRun, lostWakeRun, warnRun } from './models.ts'

const KEY = { scenario: 'dio-truncate', kernel: 'v6.1', changes: ['+a', '-b'], check: 'lost-wake:x' }

test('putpage-check/1 has the fields of docs/formats.md and no others', () => {
  const report = JSON.parse(JSON.stringify(checkReport([lostWakeRun, warnRun])))
  assert.equal(report.format, 'putpage-check/1')
  const [run] = report.runs
  assert.deepEqual(Object.keys(run), [
    'scenario',
    'kernel',
    'changes',
    'grain',
    'bounds',
    'verdict',
    'states',
    'transitions',
    'depth',
    'seconds',
    'violation',
    'violations',
  ])
  assert.equal(run.bounds, '2 threads, 1 page, at most 2 pins, every interleaving, lock grain, sequentially consistent, exact')
  assert.deepEqual(run.violation, run.violations[0])
  assert.deepEqual(Object.keys(run.violation), ['id', 'kind', 'property', 'message', 'steps'])
  assert.deepEqual(run.violation.steps[0], {
    thread: 'dio',
    function: 'try_grab_folio',
    stack: ['dio_read', 'iov_iter_get_pages2', 'try_grab_folio'],
    file: 'kernel/mm/gup.ts',
    line: 132,
    text: 'folio_ref_add(folio, refs * GUP_PIN_COUNTING_BIAS)',
    changes: [{ what: 'page._refcount', from: 1, to: 1025 }],
  })
})

test('a run without violations has no violation', () => {
  const exploration = { ...warnRun.exploration, verdict: 'pass' as const, checks: [{ check: 0, outcome: 'pass' as const }] }
  const [run] = checkReport([{ exploration }]).runs
  assert.equal('violation' in run, false)
  assert.deepEqual(run.violations, [])
})

test('JUnit is well formed and escapes everything', () => {
  const sometimes = [{ name: 'pin < 2 & "held"', reached: false }]
  const runs = [lostWakeRun, { exploration: { ...warnRun.exploration, sometimes } }]
  const xml = renderJunit(runs, () => 'putpage check --with "<&>"')
  assertWellFormed(xml)
  assert.match(xml, /<testsuites name="putpage" tests="4" failures="3" errors="0" skipped="0" time="1\.000">/)
  assert.match(xml, /<testsuite name="pin-against-zap" tests="2" failures="2"/)
  assert.match(xml, /WARN_ON_ONCE\(page_ref_count\(page\) &lt;= 0\)/)
  assert.match(xml, /sometimes:pin &lt; 2 &amp; &quot;held&quot;/)
  assert.equal(escapeXml('a\u0000\u001b[1mb'), 'a[1mb')
})

/** Every tag closed in order, no bare `<` or `&` outside of tags: as much of XML as a report uses. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const body = xml.replace(/^<\?xml [^?]*\?>/, '')
  const rest = body.replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_tag, close: string, name: string, _attributes: string, empty: string) => {
    if (close) assert.equal(open.pop(), name)
    else if (!empty) open.push(name)
    return ''
  })
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest, /</)
  assert.doesNotMatch(body, /&(?!(amp|lt|gt|quot|apos);)/)
}

test('a saved counterexample survives the round trip and replays to the same path', () => {
  for (const run of [lostWakeRun, warnRun, livelockRun]) {
    const failure = failuresOf(run)[0]
    const saved = saveCounterexample(run, failure.verdict) as SavedCounterexample
    const parsed = parseSaved(formatSaved(saved))
    assert.deepEqual(parsed, { ok: true, value: saved })
    const replayed = replaySaved(saved, run.exploration.program)
    assert.ok(replayed.ok)
    assert.deepEqual(replayed.value.steps, failure.counterexample.steps)
    assert.equal(replayed.value.cycleFrom, failure.counterexample.cycleFrom)
  }
})

test('what is wrong with a saved counterexample is said', () => {
  const saved = saveCounterexample(lostWakeRun, failuresOf(lostWakeRun)[0].verdict) as SavedCounterexample
  const error = (change: object): string => {
    const parsed = parseSaved(JSON.stringify({ ...saved, ...change }))
    return parsed.ok ? '' : parsed.error
  }
  assert.match(error({ format: 'putpage-check/1' }), /expected "format": "putpage-counterexample\/1", found "putpage-check\/1"/)
  assert.match(error({ grain: 'fine' }), /"grain": expected "lock" or "access", found "fine"/)
  assert.match(error({ scenario: undefined }), /"scenario": expected a text, found nothing/)
  assert.match(error({ steps: [{ thread: 'dio', choices: [-1] }] }), /"steps"\[0\]\.choices/)
  assert.match(error({ cycleFrom: 99 }), /"cycleFrom"/)
  const broken = parseSaved('{')
  assert.ok(!broken.ok && broken.error.startsWith('not a saved counterexample: not JSON'))

  const { program } = lostWakeRun.exploration
  const replay = (change: Partial<SavedCounterexample>): string => {
    const replayed = replaySaved({ ...saved, ...change }, program)
    return replayed.ok ? '' : replayed.error
  }
  assert.match(replay({ program: 'other' }), /the model changed since/)
  assert.match(replay({ check: 'warn:gone' }), /has no check 'warn:gone'/)
  assert.match(replay({ steps: [{ thread: 'reclaim', choices: [] }] }), /step 1: there is no thread 'reclaim'/)
  assert.match(replay({ steps: [...saved.steps, { thread: 'truncate', choices: [] }] }), /step 10: truncate cannot move/)
})

test('ids are stable and tell failures apart', () => {
  assert.equal(stableId(KEY), '08e4f737')
  assert.equal(stableId({ ...KEY, changes: ['-b', '+a'] }), stableId(KEY))
  const others = [{ scenario: 'x' }, { kernel: 'v7.3' }, { changes: ['+a-b'] }, { changes: [] }, { check: 'lost-wake:y' }].map((change) =>
    stableId({ ...KEY, ...change }),
  )
  assert.equal(new Set([stableId(KEY), ...others]).size, 6)
  for (const id of others) assert.match(id, /^[0-9a-f]{8}$/)
})
