/** Counts that went where they should not: each is planted in a recording, and found with whom to blame in front. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryFile } from '../../src/trace/byte-file.ts'
import { newBatch, Op, type PageEvent, pushEvent } from '../../src/trace/page-event.ts'
import { auditOf, auditRows, fileOf, type Rows, rangesOf, rowsOf } from './in-process.ts'

/** The findings of a recording in which each row is replaced by some. */
function changed(of: Rows, name: string, replace: (row: PageEvent, i: number) => readonly PageEvent[]): ReturnType<typeof auditRows>['findings'] {
  const rows = of.rows.flatMap(replace)
  const batch = newBatch(rows.length)
  for (const row of rows) pushEvent(batch, row)
  return auditRows(of, batch, rangesOf(name)).findings.filter(({ severity }) => severity === 'error')
}

describe('what the counts show', () => {
  it('below-free: a put of a reference that was not there', async () => {
    const name = 'v6.1/hmm.dat'
    const of = await rowsOf(fileOf(name))
    const last = of.rows.findLastIndex(({ op, ret }) => op === Op.modAndTest && ret === 1)
    const [first] = changed(of, name, (row, i) => (i === last ? [row, { ...row, op: Op.mod, count: -1, ret: 0, time: row.time + 50 }] : [row]))
    deepEqual([first.kind, first.pages], ['below-free', [of.rows[last].pfn]])
    deepEqual(first.callsites[0].stack, of.tables.siteFrames(of.tables.site(of.rows[last].stack)))
  })

  it('get-on-free: a plain get of a page that is free', async () => {
    const name = 'v6.1/hmm.dat'
    const of = await rowsOf(fileOf(name))
    const last = of.rows.findLastIndex(({ op, ret }) => op === Op.modAndTest && ret === 1)
    const get = of.rows.find(({ op, val, pfn }) => op === Op.mod && val === 1 && pfn === of.rows[last].pfn) as PageEvent
    const [first] = changed(of, name, (row, i) => (i === last ? [row, { ...get, count: 1, time: row.time + 50 }] : [row])).filter(({ kind }) => kind !== 'held')
    deepEqual([first.kind, first.pages], ['get-on-free', [get.pfn]])
    deepEqual(first.callsites[0].stack, of.tables.siteFrames(of.tables.site(get.stack)))
  })

  it('bad-count: a result that no order explains', async () => {
    const name = 'v5.10/hmm.dat'
    const of = await rowsOf(fileOf(name))
    const exact = of.rows.flatMap(({ op, ret }, i) => (op === Op.modAndReturn && ret > 1 ? [i] : []))
    const at = exact[exact.length - 1]
    const [first] = changed(of, name, (row, i) => [i === at ? { ...row, ret: row.ret + 5 } : row])
    deepEqual([first.kind, first.pages], ['bad-count', [of.rows[at].pfn]])
    deepEqual(first.callsites[0].stack, of.tables.siteFrames(of.tables.site(of.rows[at].stack)))
  })
})

/** One event of tracefs text, with its stack. */
function told(time: number, operation: string, count: number, rest: string, stack: readonly string[], pfn = 0xfcfffff): string {
  const line = (event: string): string => `            test-116     [001] ....    ${time.toFixed(6)}: ${event}\n`
  const event = `${operation}: pfn=0x${pfn.toString(16)} flags=uptodate|reserved|swapbacked count=${count} mapcount=0 mapping=0000000000000000 mt=1 ${rest}`
  return `${line(event)}${line('<stack trace>')}${['__page_ref_mod', ...stack].map((name) => ` => ${name}\n`).join('')}`
}

const CALL = ['__x64_sys_ioctl', 'do_syscall_64']
const TAKES = ['hold_page', 'driver_ioctl', ...CALL]
const FORGETS = ['hold_and_forget', 'driver_ioctl', ...CALL]
const GIVES = ['put_devmap_managed_page', 'driver_release', ...CALL]
const ENDS = ['put_devmap_managed_page', 'memunmap_pages', 'release_nodes', '__x64_sys_delete_module', 'do_syscall_64']

describe('bad-free: a page that is taken from who holds it', () => {
  it('the holder is named first, then who took it down', async () => {
    let text = '# tracer: nop\n'
    for (let i = 0; i < 30; i++) {
      text += told(1 + i / 1000, 'page_ref_mod', 2, 'val=1', TAKES, 0xfcffff0 + (i % 8))
      text += told(1.0005 + i / 1000, 'page_ref_mod_and_return', 1, 'val=-1 ret=1', GIVES, 0xfcffff0 + (i % 8))
    }
    text += told(2, 'page_ref_mod', 2, 'val=1', TAKES)
    text += told(2.001, 'page_ref_mod', 3, 'val=1', FORGETS)
    text += told(2.002, 'page_ref_mod_and_return', 2, 'val=-1 ret=2', GIVES)
    text += told(3, 'page_ref_mod_and_return', 1, 'val=-1 ret=1', ENDS)
    const result = await auditOf(memoryFile(new TextEncoder().encode(text), 'made.txt'), [
      { start: 0xfcf0000, end: 0xfcfffff, type: 'private', from: 'option', name: undefined },
    ])
    const [first] = result.findings
    deepEqual([first.kind, first.severity, first.pages], ['bad-free', 'error', [0xfcfffff]])
    deepEqual(
      first.callsites.map((site) => site.function),
      ['hold_and_forget', 'put_devmap_managed_page'],
    )
    equal(first.callsites[0].references, 1)
    ok(first.why.includes('hold_and_forget()'), first.why)
  })
})
