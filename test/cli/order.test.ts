// The command as a person runs it: what it says, what programs read, and that the second answer is at once and the same.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ROOT } from './putpage.ts'

const cache = mkdtempSync(join(tmpdir(), 'putpage-order-'))
after(() => rmSync(cache, { recursive: true }))

const COMMAND = fileURLToPath(new URL('../../src/cli/putpage.js', import.meta.url))
function order(...args: readonly string[]): { code: number | null; out: string; err: string; seconds: number } {
  const started = Date.now()
  const env = { ...process.env, XDG_CACHE_HOME: cache }
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, 'order', ...args], { cwd: ROOT, encoding: 'utf8', env, maxBuffer: 1 << 28 })
  return { code: status, out: stdout, err: stderr, seconds: (Date.now() - started) / 1000 }
}

const TWO = ['--only', 'refcount-normalisation.fsdax', '--only', 'no-special-bit', '--cut', 'by kind', '--json'] as const

interface Cut {
  readonly sets: number
  readonly verdicts: string
  readonly undecided: number
  readonly firstMovers: readonly string[]
  readonly alone: readonly { readonly element: string; readonly introduces: readonly { readonly scenario: string; readonly message: string }[] }[]
}

test('the count alone breaks generic/413; the second answer is the first, at once', () => {
  const first = order(...TWO)
  assert.equal(first.code, 0, first.err)
  const { format, searches, cuts } = JSON.parse(first.out) as { format: string; searches: number; cuts: readonly Cut[] }
  assert.equal(format, 'putpage-order/1')
  assert.ok(searches > 100)
  const [cut] = cuts
  assert.equal(cut.sets, 4)
  assert.equal(cut.undecided, 0)
  assert.match(cut.verdicts, /^s[su]{3}$/)
  assert.ok(!cut.firstMovers.includes('refcount-normalisation.fsdax'))
  const count = cut.alone.find(({ element }) => element === 'refcount-normalisation.fsdax')
  assert.ok(count?.introduces.some(({ scenario }) => scenario === 'gup-of-mapped-dax'))
  const second = order(...TWO)
  assert.deepEqual(JSON.parse(second.out).cuts, cuts)
  assert.equal(JSON.parse(second.out).searches, 0)
  assert.ok(second.seconds < first.seconds / 3, `${second.seconds} s after ${first.seconds} s`)
})

test('a change, a cut and a kernel that do not exist are named, with what is near', () => {
  const change = order('--add', 'no-devmap-bits')
  assert.equal(change.code, 2)
  assert.match(change.err, /no-devmap-bit/)
  assert.equal(order('--cut', 'by colour').code, 2)
  assert.equal(order('--from', 'v5.11').code, 2)
})
