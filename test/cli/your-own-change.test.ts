// The example of docs/your-own-change.md: its patch applies to the model as it is, and the commands say what the page says.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ROOT } from './putpage.ts'

const PATCH = 'docs/examples/split-failure-puts-reference.patch'
const SCENARIO = 'huge-device-fault-without-large-folios'
const CHANGE = 'split-failure-puts-reference'

let clone = ''

function inClone(command: string, ...args: readonly string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: clone, encoding: 'utf8', timeout: 120_000 })
  return { code: status, out: stdout, err: stderr }
}

function putpage(...args: readonly string[]): ReturnType<typeof inClone> {
  return inClone(process.execPath, 'build/src/cli/putpage.js', ...args)
}

before(() => {
  clone = mkdtempSync(join(tmpdir(), 'putpage-change-'))
  for (const part of ['kernel', 'changes', 'src/lang/model.ts', 'build/src', 'package.json']) cpSync(join(ROOT, part), join(clone, part), { recursive: true })
  mkdirSync(join(clone, 'scenarios'))
  cpSync(join(ROOT, 'scenarios', `${SCENARIO}.ts`), join(clone, 'scenarios', `${SCENARIO}.ts`))
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'))
  const applied = inClone('git', 'apply', join(ROOT, PATCH))
  assert.equal(
    applied.code,
    0,
    `${PATCH} does not apply to the model any more: make it anew, and look whether docs/your-own-change.md is still true\n${applied.err}`,
  )
})

after(() => rmSync(clone, { recursive: true, force: true }))

function failures(...args: readonly string[]): string[] {
  const { out, err } = putpage('check', SCENARIO, '--kernel', 'v7.3', ...args, '--json')
  assert.notEqual(out, '', err)
  return JSON.parse(out).runs[0].violations.map(({ kind, property }: { kind: string; property: string }) => `${kind}: ${property}`)
}

test('without the patch a reference is left behind', () => {
  assert.deepEqual(failures(), ['finally: no reference is left behind'])
})

test('with the patch as posted one is put that nobody holds', () => {
  assert.deepEqual(failures('--with', CHANGE).sort(), [
    'always: a device page is freed while an entry maps it, in page_free',
    'ledger: a reference is given back that nobody holds, in unhold',
  ])
})

test('with the look at the entry neither', () => {
  assert.deepEqual(failures('--with', 'split_unmapped_puts_reference'), [])
})

test('putpage order --add says what it introduces and repairs', () => {
  const { code, out, err } = putpage('order', '--from', 'v7.3', '--add', CHANGE, '--cut', 'by kind', '--no-cache', '--json')
  assert.equal(code, 0, err)
  const text = JSON.stringify(JSON.parse(out))
  assert.match(text, /split-failure-puts-reference/)
  assert.match(text, /a device page is freed while an entry maps it/)
  assert.match(text, /no reference is left behind/)
})
