/** Text traces: recognised by content, and the same findings as from the binary file. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryFile } from '../../src/trace/byte-file.ts'
import { OP_NAMES } from '../../src/trace/page-event.ts'
import type { Loss } from '../../src/trace/source.ts'
import { auditOf, fileOf, pass, type Rows, rangesOf, rowsOf } from './in-process.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('recognised by content', () => {
  const files: readonly [string, string, number][] = [
    ['v5.10/hmm.report.txt', 'trace-cmd report text', 40],
    ['v5.10/hmm.report.raw.txt', 'trace-cmd report text', 40],
    ['v5.10/hmm.tracefs.txt', 'tracefs text', 40],
    ['v5.10/hmm.perf.txt', 'perf script text', 40],
    ['v5.10/dax.report.txt', 'trace-cmd report text', 2],
    ['v7.3/dax.report.txt', 'trace-cmd report text', 34],
    ['v7.3/hmm.perf.txt', 'perf script text', 48],
  ]
  for (const [name, format, events] of files) {
    it(`${name}: ${format}, ${events} events, each with its stack, no error`, async () => {
      const { head, rows } = await rowsOf(fileOf(name))
      equal(head.format, format)
      equal(rows.length, events)
      equal(rows.filter(({ stack }) => stack === 0).length, 0)
      for (const ranges of [rangesOf(name), []])
        deepEqual(
          (await auditOf(fileOf(name), ranges)).findings.filter(({ severity }) => severity === 'error'),
          [],
        )
    })
  }

  it('the kernel is told by its functions', async () => {
    equal((await rowsOf(fileOf('v5.10/hmm.tracefs.txt'))).head.release, '5.10')
    equal((await rowsOf(fileOf('v6.1/dax.report.txt'))).head.release, '6.1')
    equal((await rowsOf(fileOf('v7.3/dax.report.txt'))).head.release, '7.3')
  })
})

describe('text and binary of one recording', () => {
  it('trace-cmd report, with and without -R, gives the events of the file', async () => {
    const binary = await rowsOf(fileOf('v5.10/hmm.dat'))
    for (const name of ['v5.10/hmm.report.txt', 'v5.10/hmm.report.raw.txt']) {
      const text = await rowsOf(fileOf(name))
      deepEqual(text.rows.map(bare), binary.rows.map(bare), name)
      if (name.includes('raw'))
        deepEqual(
          text.rows.map(({ flags }) => flags),
          binary.rows.map(({ flags }) => flags),
        )
      else
        deepEqual(
          text.rows.map((row) => frames(text, row.stack)),
          binary.rows.map((row) => frames(binary, row.stack)),
        )
    }
  })

  for (const name of ['selftests/v6.1-hmm-leak.dat', 'selftests/v6.1-xfs-lost-wake.dat', 'selftests/v7.3-ext4-dio.dat', 'v5.10/hmm.dat']) {
    it(`${name} as the text of trace-cmd, tracefs and perf: the same findings`, async () => {
      const rows = await rowsOf(fileOf(name))
      const ranges = rangesOf(name)
      const binary = await auditOf(fileOf(name), ranges)
      for (const write of [asReport, asTracefs, asPerf]) {
        const text = await auditOf(memoryFile(encode(write(rows)), write.name), ranges)
        deepEqual(summaryOf(text), summaryOf(binary), write.name)
      }
    })
  }
})

function summaryOf(result: Awaited<ReturnType<typeof auditOf>>): unknown {
  return {
    pages: result.pages,
    ranges: result.ranges,
    findings: result.findings.map(({ kind, severity, pages, references, callsites }) => ({
      kind,
      severity,
      pages,
      references,
      callsites: callsites.map(({ function: name, references: n }) => [name, n]),
    })),
  }
}

function bare(row: Rows['rows'][number]): unknown {
  const { op, pfn, count, mapcount, val, ret, cpu, pid, mt, time } = row
  return { op, pfn, count, mapcount, val, ret, cpu, pid, mt, time: Math.round(time / 1000) }
}

function frames(of: Rows, stack: number): string[] {
  return of.tables.stack(stack).map(({ name }) => name)
}

function asReport(of: Rows): string {
  return `cpus=2\n${of.rows
    .map((row) => {
      const head = `${`${of.tables.comm(row.pid) ?? '<...>'}-${row.pid}`.padStart(16)} [${String(row.cpu).padStart(3, '0')}] ${(row.time / 1e9).toFixed(6).padStart(12)}: `
      const flags = (row.flags & 0x1fffffn) === 0n ? 'none' : `0x${(row.flags & 0x1fffffn).toString(16)}`
      return `${head}${`${OP_NAMES[row.op]}:`.padEnd(21)} ${fields(of, row, flags)}\n${head}kernel_stack:         <stack trace >\n${stackLines(of, row.stack, (name, address) => `=> ${name} (${address})`)}`
    })
    .join('\n')}\n`
}

function asTracefs(of: Rows): string {
  return `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${of.rows.length}/${of.rows.length}   #P:2\n#\n${of.rows
    .map((row) => {
      const irq = (row.context & 0x10) !== 0 ? '..s..' : '.....'
      const head = `${`${of.tables.comm(row.pid) ?? '<...>'}-${row.pid}`.padStart(20)} [${String(row.cpu).padStart(3, '0')}] ${irq} ${(row.time / 1e9).toFixed(6).padStart(12)}: `
      const bit = of.head.release?.startsWith('7') ? 13 : 12
      const flags = (row.flags & (1n << BigInt(bit))) !== 0n ? 'uptodate|reserved|swapbacked' : 'uptodate'
      return `${head}${OP_NAMES[row.op]}: ${fields(of, row, flags)}\n${head}<stack trace>\n${stackLines(of, row.stack, (name) => ` => ${name}`)}`
    })
    .join('\n')}\n`
}

function asPerf(of: Rows): string {
  return of.rows
    .map((row) => {
      const flags = `0x${(row.flags & 0x1fffffn).toString(16)}`
      const head = `${of.tables.comm(row.pid) ?? ':1'} ${String(row.pid).padStart(5)} [${String(row.cpu).padStart(3, '0')}] ${(row.time / 1e9).toFixed(6).padStart(12)}: `
      return `${head}           page_ref:${OP_NAMES[row.op]}: ${fields(of, row, flags)}\n${stackLines(of, row.stack, (name, address) => `\t${address.padStart(16)} ${name}+0x44 ([kernel.kallsyms])`)}\n\t           3982b __ioctl+0x3b (/bin/test)\n`
    })
    .join('\n')
}

function fields(_of: Rows, row: Rows['rows'][number], flags: string): string {
  const mapping = row.mapping === 0n ? '(nil)' : `0x${row.mapping.toString(16)}`
  const ret = row.op >= 2 && row.op <= 5 ? ` ret=${row.ret}` : ''
  return `pfn=0x${row.pfn.toString(16)} flags=${flags} count=${row.count} mapcount=${row.mapcount} mapping=${mapping} mt=${row.mt} val=${row.val}${ret}`
}

function stackLines(of: Rows, stack: number, line: (name: string, address: string) => string): string {
  return of.tables
    .stack(stack)
    .map(({ name, address }) => line(name, address.toString(16)))
    .join('\n')
}

describe('what text says beside events', () => {
  const event = (n: number): string =>
    `            t-1     [000] .....    1.00000${n}: page_ref_mod: pfn=0x40000 flags=reserved count=2 mapcount=0 mapping=0000000000000000 mt=1 val=1\n`

  it('losses in the words of each format', async () => {
    for (const [line, events] of [
      ['CPU:0 [LOST 12 EVENTS]\n', 12],
      ['CPU:0 [12 EVENTS DROPPED]\n', 12],
      ['CPU:0 [EVENTS DROPPED]\n', undefined],
    ] as const) {
      const losses: Loss[] = []
      await pass(memoryFile(encode(`# tracer: nop\n${event(1)}${line}${event(2)}`), 'text'), { events() {}, lost: (loss) => losses.push(loss) })
      equal(losses.length, 1, line)
      equal(losses[0].events, events)
    }
  })

  it('task names with blanks and dashes, in any format', async () => {
    const lines = [
      ' my - odd-name-12   [003] d.h2.    1.000001: page_ref_mod: pfn=0x40000 flags=none count=2 mapcount=0 mapping=(nil) mt=1 val=1\n',
      '       kworker/0:1H-12 (     12) [003] d.h2.    1.000001: page_ref_mod: pfn=0x40000 flags=none count=2 mapcount=0 mapping=(nil) mt=1 val=1\n',
      '       my odd name    12/12    [003]     1.000001:          1 page_ref:page_ref_mod: pfn=0x40000 flags=0x1000 count=2 mapcount=0 mapping=(nil) mt=1 val=1\n',
    ]
    for (const line of lines) {
      const { rows } = await rowsOf(memoryFile(encode(line.repeat(3)), 'text'))
      equal(rows.length, 3, line)
      deepEqual([rows[0].pid, rows[0].cpu, rows[0].time], [12, 3, 1_000_001_000])
    }
  })

  it('a last line that is cut off is said to be', async () => {
    const text = `# tracer: nop\n${event(1)}${event(2).slice(0, 70)}`
    const { summary } = await rowsOf(memoryFile(encode(text), 'text'))
    ok(!summary.end.complete)
  })
})
