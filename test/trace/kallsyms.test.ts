/** `--kallsyms`: stacks that are recorded as addresses get names, and then tell the same as those that had them. */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { packageRoot } from '../../src/cli/files.ts'
import { makeInflate } from '../../src/cli/inflate.ts'
import { writeDat7 } from './dat-file.ts'
import { takeApart } from './dat-parts.ts'
import { excerpt } from './in-process.ts'

const inflate = await makeInflate()
const directory = mkdtempSync(join(tmpdir(), 'putpage-kallsyms-'))
after(() => rmSync(directory, { recursive: true }))

const written = (name: string, content: string | Uint8Array): string => {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const putpage = join(packageRoot(), 'build/src/cli/putpage.js')
const report = (...words: string[]): unknown =>
  JSON.parse(execFileSync(process.execPath, [putpage, 'trace', ...words, '--json'], { encoding: 'utf8', maxBuffer: 1 << 26 }))

describe('addresses named by a copy of /proc/kallsyms', () => {
  const original = takeApart(new Uint8Array(readFileSync(excerpt('v5.10/hmm.dat'))), inflate)
  const kallsyms = written('kallsyms', original.parts.kallsyms)
  const iomem = ['--iomem', excerpt('v5.10/iomem')]

  it('trace-cmd report -R tells what the text with names does', () => {
    const named = report(excerpt('v5.10/hmm.report.txt'), ...iomem)
    deepEqual(report(excerpt('v5.10/hmm.report.raw.txt'), '--kallsyms', kallsyms, ...iomem), named)
    ok(JSON.stringify(named) !== JSON.stringify(report(excerpt('v5.10/hmm.report.raw.txt'), ...iomem)))
  })

  it('a trace.dat without symbols tells what the one with them does', () => {
    const cpus = original.cpus.map(({ cpu, chunks }) => ({
      cpu,
      pages: Buffer.concat(chunks.map(({ packed, size }) => inflate.zstd(packed, size))),
    }))
    const bare = writeDat7({ ...original.parts, kallsyms: '' }, [{ name: '', clock: original.clock, pageSize: original.pageSize, cpus }], 'none')
    const path = written('bare.dat', bare)
    deepEqual(report(path, '--kallsyms', kallsyms, ...iomem), report(excerpt('v5.10/hmm.dat'), ...iomem))
  })

  it('what is no such copy is refused, with what to do', () => {
    const refused = (content: string): string => {
      const { status, stderr } = spawnSync(process.execPath, [putpage, 'trace', excerpt('v5.10/hmm.report.raw.txt'), '--kallsyms', written('other', content)], {
        encoding: 'utf8',
      })
      equal(status, 2)
      return stderr
    }
    match(refused('0000000000000000 T put_page\n0000000000000000 t get_page\n'), /only zeros.*as root/)
    match(refused('nothing of the kind\n'), /no line of the form/)
  })
})
