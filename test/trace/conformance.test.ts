/** Real recordings held to the model, as the first reading on a machine does it: nothing is kept yet, and what is needed is asked for bit by bit. */
import { equal, match, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageRoot } from '../../src/cli/files.ts'
import { excerpt } from './in-process.ts'

interface Report {
  readonly findings: readonly { readonly kind: string; readonly why: string; readonly pages: readonly string[] }[]
  readonly conformance: { readonly pages: number; readonly conforming: number; readonly rejected: number; readonly unmapped: number }
}

function reading(name: string): Promise<Report> {
  const putpage = join(packageRoot(), 'build/src/cli/putpage.js')
  return new Promise((done, failed) => {
    const env = { ...process.env, PUTPAGE_CACHE: '' }
    execFile(process.execPath, [putpage, 'trace', excerpt(name), '--json'], { env, timeout: 120_000, maxBuffer: 1 << 26 }, (_, out, err) => {
      if (out === '') failed(new Error(err))
      else done(JSON.parse(out) as Report)
    })
  })
}

describe('real recordings held to the model', () => {
  for (const name of ['selftests/v6.1-hmm-tests.dat', 'selftests/v5.10-xfs-dio.dat']) {
    it(`${name}: every life is one the model allows`, async () => {
      const { conformance, findings } = await reading(name)
      equal(conformance.rejected, 0, findings.map(({ why }) => why).join('\n'))
      equal(conformance.unmapped, 0)
      equal(conformance.conforming, conformance.pages)
      ok(conformance.pages > 0)
    })
  }

  it('a module that takes a reference too many is not the one of the model, and where they part is shown', async () => {
    const { conformance, findings } = await reading('selftests/v6.1-hmm-leak.dat')
    const leak = findings.find(({ kind }) => kind === 'held')
    const parted = findings.find(({ kind }) => kind === 'not-in-model')
    ok(conformance.rejected > 0)
    match(parted?.why ?? '', /in a call of dmirror_migrate_to_device\(\) after .*dmirror_migrate_to_device/)
    const pages = new Set(parted?.pages)
    ok((leak?.pages.length ?? 0) > 100 && leak?.pages.every((page) => pages.has(page)))
  })
})
