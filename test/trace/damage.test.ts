/** Damaged input of every kind: a clear message or as much as reads, never a crash, a hang or endless memory. */
import { equal, match, ok } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { packageRoot } from '../../src/cli/files.ts'
import { memoryFile, TraceError } from '../../src/trace/byte-file.ts'
import { writeDat6, writeDat7 } from './dat-file.ts'
import { auditOf, excerpt, rangesOf } from './in-process.ts'
import { type MadeEvent, pagesOf, partsOf } from './synthetic.ts'

const FILES = [
  'v5.10/hmm.dat',
  'v5.10/hmm.v6.dat',
  'v7.3/dax.dat',
  'selftests/v5.10-xfs-dio.dat',
  'v5.10/load.dat',
  'v5.10/hmm.report.txt',
  'v5.10/hmm.tracefs.txt',
  'v5.10/hmm.perf.txt',
  'v5.10/hmm.report.raw.txt',
]
/** No file here takes longer than a fraction of this. */
const SECONDS = 10

async function reads(bytes: Uint8Array, name: string): Promise<'read' | 'early' | 'refused'> {
  const began = performance.now()
  try {
    const { summary } = await auditOf(memoryFile(bytes, 'damaged'), rangesOf(name))
    if (summary.events === 0) return 'refused'
    return summary.end.complete ? 'read' : 'early'
  } catch (error) {
    ok(error instanceof TraceError, `${(error as Error).stack}`)
    ok(error.message.length > 10)
    return 'refused'
  } finally {
    ok(performance.now() - began < SECONDS * 1000, 'it takes too long')
  }
}

describe('bytes', () => {
  for (const name of FILES) {
    const whole = new Uint8Array(readFileSync(excerpt(name)))

    it(`${name} cut off anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
          await reads(whole.slice(0, length), name)
        }),
        { numRuns: 40 },
      )
    })

    it(`${name} with bytes changed`, async () => {
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
          const bytes = whole.slice()
          for (const [at, value] of changes) bytes[at] = value
          await reads(bytes, name)
        }),
        { numRuns: 40 },
      )
    })

    it(`${name} with its first bytes changed, one by one`, async () => {
      for (let at = 0; at < 64; at++) {
        const bytes = whole.slice()
        bytes[at] ^= 0xff
        await reads(bytes, name)
      }
    })
  }

  it('any bytes behind a good beginning', async () => {
    const whole = new Uint8Array(readFileSync(excerpt('v5.10/hmm.dat')))
    await fc.assert(
      fc.asyncProperty(fc.nat(400), fc.uint8Array({ maxLength: 2000 }), async (keep, rest) => {
        const bytes = new Uint8Array(keep + rest.length)
        bytes.set(whole.subarray(0, keep))
        bytes.set(rest, keep)
        await reads(bytes, 'v5.10/hmm.dat')
      }),
      { numRuns: 60 },
    )
  })
})

describe('a file that ends early', () => {
  const shape = { little: true, long: 8, pageSize: 4096 } as const
  const events: MadeEvent[] = Array.from({ length: 3000 }, (_, i) => ({
    op: i % 2 === 0 ? 1 : 2,
    pfn: 0x40000 + (Math.floor(i / 2) % 50),
    flags: 0xc000000000001000n,
    count: i % 2 === 0 ? 2 : 1,
    val: i % 2 === 0 ? 1 : -1,
    ret: 0,
    time: 1e9 + i * 1000,
    cpu: 0,
    pid: 7,
    context: 0,
    stack: [0, i % 2 === 0 ? 1 : 3, 6, 7, 8],
  }))
  const data = { name: '', clock: 'global', pageSize: 4096, cpus: pagesOf(events, shape) }
  const parts = partsOf(shape, '6.1.0')
  // From where the first chunk of events is whole, to where the last page still misses some.
  for (const [what, bytes, from] of [
    ['version 6', writeDat6(parts, [data]), 0.3],
    ['version 7', writeDat7(parts, [data], 'none'), 0.3],
    ['version 7, zlib', writeDat7(parts, [data], 'zlib'), 0.65],
  ] as const) {
    it(`${what}: as far as it reads, and where it ends`, async () => {
      const start = Math.floor(bytes.length * from)
      const lastPage = from < 0.5 ? shape.pageSize : 200
      let early = 0
      for (let length = start; length < bytes.length - lastPage; length += Math.floor((bytes.length - start) / 16)) {
        const { summary, findings } = await auditOf(memoryFile(bytes.slice(0, length), 'cut'), [
          { start: 0x40000, end: 0x4ffff, type: 'fsdax', from: 'option', name: undefined },
        ])
        ok(!summary.end.complete, `cut at ${length}`)
        match(summary.end.why, /byte \d+/)
        ok(summary.events > 0 && summary.events < 3000)
        equal(findings.filter(({ severity }) => severity === 'error').length, 0)
        early++
      }
      ok(early > 10)
    })
  }

  it('text: the last line is not believed, and a line that cannot be read in between is a loss', async () => {
    const text = readFileSync(excerpt('v5.10/hmm.report.txt'), 'utf8')
    const at = text.lastIndexOf('val=-1')
    const ends = await auditOf(memoryFile(new TextEncoder().encode(text.slice(0, at + 6)), 'cut'), rangesOf('v5.10/hmm.report.txt'))
    ok(!ends.summary.end.complete)
    match(ends.summary.end.why, /^at byte \d+: the last line is cut off$/)
    const middle = text.indexOf('pfn=0x', text.length / 2)
    const gap = await auditOf(memoryFile(new TextEncoder().encode(`${text.slice(0, middle)}pfn=?${text.slice(middle + 6)}`), 'gap'), [])
    equal(gap.summary.lost, 1)
    equal(gap.summary.end.complete, true)
  })

  it('no claim is made about a page after a gap on it', async () => {
    // The put of the last page is lost with the page of the ring buffer that held it.
    const lossy = { ...data, cpus: pagesOf(events, shape, new Set([1, 2, 3])) }
    const { summary, findings } = await auditOf(memoryFile(writeDat7(parts, [lossy], 'none'), 'lossy'), [])
    ok(summary.lossUnknown)
    equal(findings.filter(({ severity }) => severity === 'error').length, 0)
  })
})

describe('on the command line', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'putpage-test-'))
  after(() => rmSync(scratch, { recursive: true }))
  const putpage = join(packageRoot(), 'build/src/cli/putpage.js')
  const run = (args: readonly string[], input?: Uint8Array): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      const child = execFile(process.execPath, [putpage, 'trace', ...args], { timeout: 120_000 }, (error, out, err) => {
        done({ code: error ? (typeof error.code === 'number' ? error.code : 99) : 0, out, err })
      })
      child.stdin?.on('error', () => {})
      child.stdin?.end(input)
    })
  const file = (name: string, bytes: Uint8Array | string): string => {
    const path = join(scratch, name)
    writeFileSync(path, bytes)
    return path
  }
  const hmm = new Uint8Array(readFileSync(excerpt('v5.10/hmm.dat')))

  const cases: readonly [string, () => readonly string[], number, RegExp][] = [
    ['no such file', () => [join(scratch, 'none.dat')], 2, /no such file/],
    ['a directory', () => [scratch], 2, /is a directory/],
    ['an empty file', () => [file('empty.dat', '')], 2, /is empty/],
    ['no trace', () => [file('notes.txt', 'buy milk\n')], 2, /no trace that can be read/],
    ['binary rubbish', () => [file('rubbish', new Uint8Array(5000).fill(200))], 2, /no trace that can be read/],
    ["perf's own file", () => [file('perf.data', 'PERFILE2 and more')], 2, /perf script/],
    ['a compressed file', () => [file('trace.gz', new Uint8Array([0x1f, 0x8b, 8, 0, 0]))], 2, /gunzip/],
    ['a head and nothing else', () => [file('head.dat', hmm.slice(0, 300))], 2, /no event can be read|cannot be read/],
    ['a wrong kernel', () => [excerpt('v5.10/hmm.dat'), '--kernel', 'v9'], 2, /there is no kernel 'v9'/],
    ['a wrong range', () => [excerpt('v5.10/hmm.dat'), '--range', 'x'], 2, /--range x: give page frame numbers/],
    ['an iomem of zeros', () => [excerpt('v5.10/hmm.dat'), '--iomem', file('iomem', '00000000-00000000 : System RAM\n')], 2, /only zeros.*root/],
    ['an instance that is not there', () => [excerpt('v5.10/hmm.dat'), '--instance', 'x'], 2, /no instance 'x'/],
  ]
  for (const [what, args, code, message] of cases) {
    it(`${what}: exit ${code}, one message, no stack trace`, async () => {
      const { code: got, out, err } = await run(args())
      equal(got, code, err)
      equal(out, '')
      match(err, message)
      ok(!/^\s+at /m.test(err), err)
    })
  }

  it("one CPU's raw data: the command that finishes the recording", async () => {
    const shape = { little: true, long: 8, pageSize: 4096 } as const
    const events: MadeEvent[] = Array.from({ length: 800 }, (_, i) => ({
      op: 1,
      pfn: 1 + i,
      flags: 0n,
      count: 1,
      val: 1,
      ret: 0,
      time: 5e9 + i * 1000,
      cpu: 0,
      pid: 7,
      context: 0,
      stack: [0, 1, 6],
    }))
    const { code, err } = await run([file('trace.dat.cpu0', pagesOf(events, shape)[0].pages)])
    equal(code, 2)
    match(err, /trace-cmd restore -o \S*trace\.dat \S*trace\.dat\.cpu/)
  })

  it('a pipe', async () => {
    const { code, out } = await run(['-'], hmm)
    equal(code, 0, out)
    match(out, /^no error found/)
  })

  it('a file cut off: what reads is reported, exit 3', async () => {
    const dio = new Uint8Array(readFileSync(excerpt('v5.10/hmm.v6.dat')))
    const { code, out } = await run([file('cut.dat', dio.slice(0, dio.length - 7000))])
    equal(code, 3, out)
    match(out, /ends early at byte \d+/)
  })

  it('a leak: exit 1, the call site in the first line, and as JSON', async () => {
    const leak = excerpt('selftests/v6.1-hmm-leak.dat')
    const { code, out } = await run([leak])
    equal(code, 1)
    match(out.split('\n')[0], /dmirror_migrate_to_device/)
    const json = JSON.parse((await run([leak, '--json', '--threads', '2'])).out)
    equal(json.format, 'putpage-trace/1')
    equal(json.kernel, 'v6.1')
    equal(json.findings[0].callsites[0].function, 'dmirror_migrate_to_device')
    const page = json.findings[0].pages[0]
    const life = await run([leak, '--pfn', page])
    match(life.out, new RegExp(`^page ${page}: `))
  })
})
