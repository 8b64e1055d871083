import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './putpage.ts'

test("the README's library example runs from an installed package, typed", () => {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-pack-'))
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const tarball = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory], { cwd: ROOT, encoding: 'utf8' }).trim()
    run('npm', 'init', '-y')
    run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', join(directory, tarball))
    const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1]
    assert.ok(example, 'the README has an example')
    writeFileSync(join(directory, 'example.mjs'), example)
    assert.match(run(process.execPath, 'example.mjs'), /^violation \d+\n\d+\n$/)
    writeFileSync(join(directory, 'example.mts'), example)
    run(
      process.execPath,
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom',
      '--skipLibCheck',
      'example.mts',
    )
    assert.match(run(join(directory, 'node_modules/.bin/putpage'), 'list'), /gup-of-mapped-dax/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
