import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { putpage, startPutpage } from './putpage.ts'

const inTemporary = (body: (directory: string) => void): void => {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-test-'))
  try {
    body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('a scenario that passes exits 0, one that fails 1', () => {
  assert.equal(putpage('check', 'gup-of-mapped-dax', '--kernel', 'v5.10').code, 0)
  const failed = putpage('check', 'gup-of-mapped-dax', '--kernel', 'v5.15+seed')
  assert.equal(failed.code, 1)
  assert.match(failed.out, /WARN_ON_ONCE\(page_ref_count\(page\) <= 0\) in try_get_page/)
  assert.match(failed.out, /again +putpage check gup-of-mapped-dax --kernel v5\.15\+seed/)
  assert.ok(!failed.out.includes('\u001b'), 'no colour when piped')
  assert.ok(failed.out.split('\n').every((line) => line.length <= 112))
})

test('an unknown scenario, kernel or change suggests the nearest name, and exits 2', () => {
  const scenario = putpage('check', 'gup-of-maped-dax')
  assert.equal(scenario.code, 2)
  assert.match(scenario.err, /Did you mean gup-of-mapped-dax\?/)
  const kernel = putpage('check', 'gup-of-mapped-dax', '--kernel', 'v5.11')
  assert.equal(kernel.code, 2)
  assert.match(kernel.err, /Did you mean v5\.1/)
  const change = putpage('check', 'gup-of-mapped-dax', '--without', 'gup_put_foli')
  assert.equal(change.code, 2)
  assert.match(change.err, /Did you mean gup_put_folio/)
  assert.equal(putpage('chek').code, 2)
  assert.match(putpage('check', 'gup-of-mapped-dax', '--max-states', 'many').err, /positive number/)
})

test('a fix is taken out by its commit', () => {
  assert.equal(putpage('check', 'truncate-against-pin', '--kernel', 'v6.1').code, 0)
  const without = putpage('check', 'truncate-against-pin', '--kernel', 'v6.1', '--without', 'f4f451a16dd1')
  assert.equal(without.code, 1)
  assert.match(without.out, /lost-wake/)
})

test('bugs: a bug by its id as JSON, and an unknown id', () => {
  const { code, out } = putpage('bugs', 'release-pages-bypass', '--json')
  assert.equal(code, 0)
  const { format, bugs } = JSON.parse(out)
  assert.equal(format, 'putpage-bugs/1')
  assert.deepEqual(
    bugs.map(({ id }: { id: string }) => id),
    ['release-pages-bypass'],
  )
  assert.equal(bugs[0].kernels['v5.10'].verdict, 'absent')
  assert.deepEqual([bugs[0].reverted.kernel, bugs[0].reverted.without, bugs[0].reverted.verdict], ['v5.10', 'c5d6c45e90c4', 'found'])
  const unknown = putpage('bugs', 'release-page-bypass')
  assert.equal(unknown.code, 2)
  assert.match(unknown.err, /Did you mean release-pages-bypass\?/)
})

test('random runs: a failure with the command that makes it again, nothing found is inconclusive, the same for the same seed', () => {
  const found = putpage('check', 'truncate-against-direct-io', '--kernel', 'v6.1', '--random', '300', '--seed', '5')
  assert.equal(found.code, 1)
  assert.match(found.out, /again +putpage check truncate-against-direct-io --kernel v6\.1 --random 300 --seed 5\n/)
  assert.match(found.out, /v6\.1: \d+ of \d+ steps of the model taken in 1 scenario/)
  const none = ['check', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--random', '20', '--strategy', 'pct', '--json']
  const [one, two] = [putpage(...none), putpage(...none)]
  assert.equal(one.code, 3)
  const report = JSON.parse(one.out)
  assert.equal(report.runs[0].verdict, 'inconclusive')
  assert.match(report.runs[0].bounds, /20 random runs \(pct, depth 3, seed 1\)/)
  assert.ok(report.coverage.kernels[0].taken > 0)
  const untimed = (text: string): string => text.replace(/"seconds": [\d.e-]+/g, '')
  assert.equal(untimed(one.out), untimed(two.out))
  assert.equal(putpage('check', 'gup-of-mapped-dax', '--seed', '3').code, 2)
  assert.equal(putpage('check', 'gup-of-mapped-dax', '--random', '0').code, 2)
})

test('coverage: the steps that a search never takes, for people and as JSON', () => {
  const { code, out } = putpage('check', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--coverage')
  assert.equal(code, 0)
  assert.match(out, /v6\.1: \d+ of \d+ steps of the model taken in 1 scenario, never:\n {2}kernel\//)
  const { runs, coverage } = JSON.parse(putpage('check', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--coverage', '--json').out)
  assert.equal(runs[0].verdict, 'pass')
  const [kernel] = coverage.kernels
  assert.deepEqual([kernel.kernel, kernel.scenarios, kernel.complete, kernel.steps - kernel.taken], ['v6.1', 1, true, kernel.never.length])
  assert.ok(kernel.never.every(({ file, line, function: name, text }: Record<string, unknown>) => file && line && name && text))
})

test('ten different mistakes give ten diagnostics, each with place, frame and advice, and exit code 2', () => {
  const { code, err } = putpage('check', 'test/mistakes/ten.ts')
  assert.equal(code, 2)
  assert.match(err, /10 mistakes/)
  assert.equal(err.split('\n').filter((line) => /^test\/mistakes\/ten\.ts:\d+:\d+: /.test(line)).length, 10)
  assert.match(err, /reff.*Did you mean 'ref'/)
  assert.match(err, /write instead: let count: Int<lo, hi>/)
  assert.match(err, /\n {2}17 \| .*\n +\| +\^/)
  assert.ok(!err.includes('    at '), 'no stack trace')
})

test('a limit is no pass: exit code 3, and the limit is named', () => {
  const { code, out } = putpage('check', 'test/models/pageref.ts', '--kernel', 'v6.1', '--max-states', '1000')
  assert.equal(code, 3)
  assert.match(out, /inconclusive: --max-states 1000 reached/)
  assert.equal(putpage('check', 'test/models/pageref-4.ts', '--kernel', 'v6.1', '--timeout', '0.3').code, 3)
})

test('a scenario outside of the project, a missing file, a directory, a file that is no scenario', () => {
  inTemporary((directory) => {
    const file = join(directory, 'mine.ts')
    writeFileSync(
      file,
      `import { scenario, struct } from 'putpage/model'
import { Page } from 'putpage/kernel/include/linux/mm_types.ts'
import { page_ref_inc } from 'putpage/kernel/include/linux/page_ref.ts'
const page = struct(Page)
export default scenario({
  about: 'mine', bounds: '2 threads',
  threads: { a() { page_ref_inc(page, 'gup') }, b() { page_ref_inc(page, 'gup') } },
  sometimes: { 'both hold it': () => page._refcount === 2 },
})
`,
    )
    const mine = putpage('check', file, '--kernel', 'v6.1')
    assert.equal(mine.code, 0, mine.err)
    assert.match(putpage('check', join(directory, 'none.ts')).err, /no such file/)
    assert.match(putpage('check', `${directory}/`).err, /is a directory/)
    writeFileSync(file, 'export const x = 1\n')
    assert.match(putpage('check', file).err, /declares no scenario/)
  })
})

test('JSON and JUnit say what the table says', () => {
  inTemporary((directory) => {
    const junit = join(directory, 'report.xml')
    const { code, out } = putpage('check', 'gup-of-mapped-dax', '--json', '--junit', junit)
    assert.equal(code, 1)
    const report = JSON.parse(out) as { format: string; runs: { kernel: string; verdict: string; violations: { kind: string }[] }[] }
    assert.equal(report.format, 'putpage-check/1')
    assert.deepEqual(
      report.runs.map(({ kernel, verdict }) => [kernel, verdict]),
      [
        ['v5.10', 'pass'],
        ['v5.15+seed', 'violation'],
        ['v5.18', 'pass'],
        ['v6.1', 'pass'],
        ['v6.12', 'pass'],
        ['v7.3', 'pass'],
      ],
    )
    assert.match(readFileSync(junit, 'utf8'), /<testsuites/)
  })
  assert.equal(putpage('check', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--junit', '/dev/full').code, 2)
})

test('a saved counterexample is replayed; a changed or damaged one fails clearly', () => {
  inTemporary((directory) => {
    const saved = join(directory, '413.json')
    putpage('check', 'gup-of-mapped-dax', '--kernel', 'v5.15+seed', '--save', saved)
    const replayed = putpage('replay', saved)
    assert.equal(replayed.code, 1)
    assert.match(replayed.out, /try_get_page/)
    const text = readFileSync(saved, 'utf8')
    writeFileSync(saved, text.replace(/("program": ")..../, '$10000'))
    const changed = putpage('replay', saved)
    assert.equal(changed.code, 2)
    assert.match(changed.err, /the model changed/)
    writeFileSync(saved, text.slice(0, 100))
    const damaged = putpage('replay', saved)
    assert.equal(damaged.code, 2)
    assert.ok(!damaged.err.includes('    at '))
    assert.equal(putpage('replay', join(directory, 'none.json')).code, 2)
  })
})

test('a run is the same for the same seed, and writes the events of a real kernel', () => {
  inTemporary((directory) => {
    const trace = join(directory, 'trace.txt')
    const once = putpage('run', 'truncate-against-pin', '--kernel', 'v6.1', '--schedule', 'random', '--seed', '7', '--ftrace', trace)
    const again = putpage('run', 'truncate-against-pin', '--kernel', 'v6.1', '--schedule', 'random', '--seed', '7')
    assert.equal(once.out, again.out)
    assert.match(readFileSync(trace, 'utf8'), / page_ref_mod\w*: pfn=0x[0-9a-f]+ flags=\S* count=\d+ mapcount=0 mapping=\S+ mt=1 val=-?\d+/)
  })
  assert.match(putpage('run', 'gup-of-mapped-dax', '--kernel', 'v7.3').out, /held by/)
})

test('list, show, export and help', () => {
  const listed = JSON.parse(putpage('list', '--json').out) as { scenarios: { name: string }[]; kernels: { name: string }[]; switches: { commit?: string }[] }
  assert.ok(listed.scenarios.length >= 15)
  assert.deepEqual(
    listed.kernels.map(({ name }) => name),
    ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3'],
  )
  assert.match(putpage('show', 'gup-of-mapped-dax', '--kernel', 'v6.1').out, /thread program/)
  assert.match(putpage('export', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--to', 'promela').out, /active proctype/)
  assert.match(putpage('export', 'gup-of-mapped-dax', '--kernel', 'v6.1', '--to', 'dot').out, /digraph/)
  assert.match(putpage('export', 'gup-of-mapped-dax', '--kernel', 'v5.15+seed', '--to', 'itf').out, /#meta/)
  for (const command of ['check', 'list', 'show', 'run', 'replay', 'export', 'mail']) {
    const help = putpage(command, '--help')
    assert.equal(help.code, 0)
    assert.match(help.out, /Usage: putpage/)
  }
})

test('Ctrl-C ends a search at once, and says what was covered', async () => {
  const child = startPutpage('check', 'test/models/pageref-bug.ts', '--kernel', 'v6.1', '--grain', 'access')
  let out = ''
  child.stdout?.on('data', (data) => {
    out += data
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const asked = Date.now()
  child.kill('SIGINT')
  const code = await exited
  // What had failed by then is found; the rest is not known.
  assert.equal(code, 1)
  assert.ok(Date.now() - asked < 3_000)
  assert.match(out, /inconclusive: .*states were covered/)
})
