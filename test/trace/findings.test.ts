/** What the auditor finds in real recordings: the leak, the lost wake-up, and nothing in healthy ones, wherever they are cut. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { memoryFile } from '../../src/trace/byte-file.ts'
import type { KernelRules } from '../../src/trace/kernel-rules.ts'
import { findOrder } from '../../src/trace/order.ts'
import { type EventBatch, newBatch, Op, type PageEvent, pushEvent } from '../../src/trace/page-event.ts'
import { versionOf } from '../../src/trace/page-flags.ts'
import { auditOf, auditRows, batchOf, errorsOf, excerpt, fileOf, plainRules, rangesOf, rowsOf, slice } from './in-process.ts'

const HEALTHY = [
  'v5.10/hmm.dat',
  'v5.10/hmm.v6.dat',
  'v5.10/dax.dat',
  'v5.10/load.dat',
  'v5.10/user.dat',
  'v6.1/hmm.dat',
  'v6.1/dax.dat',
  'v6.1/load.dat',
  'v7.3/hmm.dat',
  'v7.3/dax.dat',
  'v7.3/load.dat',
  'selftests/v5.10-hmm-tests-all-pages.dat',
  'selftests/v5.10-xfs-dio.dat',
  'selftests/v6.1-hmm-tests.dat',
  'selftests/v7.3-ext4-dio.dat',
  'selftests/v7.3-hmm-tests.dat',
]

/** Whether two kernels count DAX pages by the same rule. */
function sameRule(a: number, b: number): boolean {
  return a < 7000 === b < 7000
}

/** A kernel between two of the model's, or `--kernel` with the wrong one: the rules say 1 where the pages are free at 0, or the other way round. */
function rulesOfAnother(kernel: string): KernelRules {
  const rules = plainRules(kernel.slice(1)) as KernelRules
  return { ...rules, wakesAtIdle: (_, frames) => (frames[0] === 'unpin_user_folio' ? false : undefined) }
}

describe('healthy recordings', () => {
  for (const name of ['v5.10/hmm.dat', 'v6.1/hmm.dat', 'v7.3/dax.dat', 'selftests/v7.3-ext4-dio.dat']) {
    it(`${name}: no error in any part of it, whichever kernel it is taken for`, async () => {
      const whole = await batchOf(fileOf(name))
      const own = versionOf(whole.head.release ?? '')
      const kernels = ['v5.10', 'v6.1', 'v7.3'].filter((kernel) => versionOf(kernel) !== own)
      fc.assert(
        fc.property(fc.constantFrom(...kernels), fc.nat(whole.batch.length), fc.nat(whole.batch.length), fc.boolean(), (kernel, a, b, iomem) => {
          const part = slice(whole.batch, Math.min(a, b), Math.max(a, b))
          const result = auditRows(whole, part, iomem ? rangesOf(name) : [], () => rulesOfAnother(kernel))
          // Where the rule happens to be the same, a put that wakes nobody on that kernel is one.
          deepEqual(
            errorsOf(result).filter((error) => !(error.startsWith('silent-idle') && sameRule(own, versionOf(kernel)))),
            [],
          )
        }),
        { numRuns: 30 },
      )
    })
  }

  for (const name of HEALTHY) {
    it(`${name}: no error, with and without /proc/iomem`, async () => {
      deepEqual(errorsOf(await auditOf(fileOf(name), rangesOf(name))), [])
      deepEqual(errorsOf(await auditOf(fileOf(name), [])), [])
    })
  }

  for (const [name, runs] of [
    ['v7.3/dax.dat', 40],
    ['v5.10/hmm.dat', 40],
    ['selftests/v5.10-xfs-dio.dat', 60],
    ['selftests/v7.3-ext4-dio.dat', 60],
    ['selftests/v6.1-hmm-tests.dat', 12],
    ['selftests/v7.3-hmm-tests.dat', 12],
  ] as const) {
    it(`${name}: no error in any part of it`, async () => {
      const whole = await batchOf(fileOf(name))
      const ranges = rangesOf(name)
      fc.assert(
        fc.property(fc.nat(whole.batch.length), fc.nat(whole.batch.length), (a, b) => {
          const result = auditRows(whole, slice(whole.batch, Math.min(a, b), Math.max(a, b)), ranges)
          deepEqual(errorsOf(result), [])
        }),
        { numRuns: runs },
      )
    })
  }

  it('the counting rule of each range is told, and where it comes from', async () => {
    const of = async (name: string): Promise<string[]> =>
      (await auditOf(fileOf(name), rangesOf(name))).ranges.map(({ type, freeAt, from }) => `${type} ${freeAt} ${from}`)
    deepEqual(await of('v5.10/hmm.dat'), ['private 1 iomem'])
    deepEqual(await of('v5.10/load.dat'), ['private 1 kprobe'])
    deepEqual(await of('v6.1/dax.dat'), ['fsdax 1 iomem'])
    deepEqual(await of('v7.3/dax.dat'), ['fsdax 0 iomem'])
  })

  it('without /proc/iomem the zone tells device pages from all others', async () => {
    const name = 'selftests/v5.10-hmm-tests-all-pages.dat'
    const result = await auditOf(fileOf(name), [])
    ok(result.pages > 500)
    for (const { start, type, freeAt } of result.ranges) {
      ok(start >= 0xfce0000, start.toString(16))
      deepEqual([type, freeAt], ['private', 1])
    }
  })
})

describe('a leak', () => {
  it('the call site that takes one reference too many comes first, with every page', async () => {
    const name = 'selftests/v6.1-hmm-leak.dat'
    for (const ranges of [rangesOf(name), []]) {
      const result = await auditOf(fileOf(name), ranges)
      const [first] = result.findings
      equal(first.kind, 'held')
      equal(first.severity, 'error')
      equal(first.callsites[0].function, 'dmirror_migrate_to_device')
      equal(first.callsites[0].stack[0], 'dmirror_migrate_to_device')
      equal(first.references, first.pages.length)
      ok(first.pages.length > 100)
      equal(errorsOf(result).length, 1)
    }
  })

  it('one reference too many on one page among thousands is found, whoever takes it', async () => {
    const name = 'selftests/v6.1-hmm-tests.dat'
    const whole = await rowsOf(fileOf(name))
    const ranges = rangesOf(name)
    const byPage = new Map<number, number[]>()
    whole.rows.forEach(({ pfn }, i) => {
      byPage.set(pfn, [...(byPage.get(pfn) ?? []), i])
    })
    const lives = [...byPage.values()].flatMap((rows) => wholeLives(whole.rows, rows))
    ok(lives.length > 1000)
    fc.assert(
      fc.property(fc.nat(lives.length - 1), fc.nat(20), (which, nth) => {
        const life = lives[which]
        const gets = life.filter((i) => whole.rows[i].val === 1 && whole.rows[i].op === Op.mod)
        const get = gets[nth % gets.length]
        const batch = leaked(whole.rows, byPage.get(whole.rows[get].pfn) as number[], life, get)
        const [first] = auditRows(whole, batch, ranges).findings.filter(({ kind }) => kind === 'held')
        ok(first.pages.includes(whole.rows[get].pfn))
        const site = whole.tables.siteFrames(whole.tables.site(whole.rows[get].stack))
        deepEqual(first.callsites[0].stack, site)
      }),
      { numRuns: 12 },
    )
  })
})

/** Lives of one page that began and ended in the recording: rows from the allocation to the put that frees. */
function wholeLives(rows: readonly PageEvent[], own: readonly number[]): number[][] {
  const lives: number[][] = []
  let life: number[] | undefined
  for (const i of own) {
    const { op, val, ret } = rows[i]
    if (op === Op.set) life = val === 1 ? [] : undefined
    life?.push(i)
    if (op === Op.modAndTest && ret === 1) {
      if (life && life.length > 3) lives.push(life)
      life = undefined
    }
  }
  return lives.filter((one) => one.some((i) => rows[i].op === Op.mod))
}

/** The recording as it would be had the get at `get` been done twice: the page is never freed again, and nothing is done to it afterwards. */
function leaked(rows: readonly PageEvent[], own: readonly number[], life: readonly number[], get: number): EventBatch {
  const end = life[life.length - 1]
  const after = new Set(own.filter((i) => i > end))
  const changed = new Set(life.filter((i) => i > get))
  const batch = newBatch(rows.length + 1)
  rows.forEach((row, i) => {
    if (after.has(i)) return
    pushEvent(batch, changed.has(i) ? { ...row, count: row.count + 1, ret: 0 } : row)
    if (i === get) pushEvent(batch, { ...row, count: row.count + 1, time: row.time + 50 })
  })
  return batch
}

describe('a lost wake-up', () => {
  it('the put that wakes nobody is named in one sentence', async () => {
    const name = 'selftests/v6.1-xfs-lost-wake.dat'
    const result = await auditOf(fileOf(name), rangesOf(name))
    const [first] = result.findings
    equal(first.kind, 'silent-idle')
    equal(first.severity, 'error')
    equal(first.callsites[0].function, '__bio_release_pages')
    ok(first.why.includes('__bio_release_pages()'))
    equal(first.why.match(/[.?!](\s|$)/g)?.length, 1, first.why)
    equal(result.findings.filter(({ kind }) => kind === 'held').length, 0)
  })

  it('where the recorder stopped soon after, or its end is not known, nobody need have waited', async () => {
    const name = 'selftests/v6.1-xfs-lost-wake.dat'
    const bytes = readFileSync(excerpt(name))
    const latin1 = bytes.toString('latin1')
    const soon = latin1.replaceAll('now ts:    73.739382', 'now ts:    37.739382')
    const silent = latin1.replaceAll('now ts:', 'NOW TS:')
    for (const text of [soon, silent]) {
      ok(text !== latin1)
      const { findings } = await auditOf(memoryFile(Buffer.from(text, 'latin1'), 'doctored'), rangesOf(name))
      deepEqual([findings[0].kind, findings[0].severity], ['silent-idle', 'unknown'])
    }
  })
})

describe('the order of events', () => {
  interface Operation {
    readonly cpu: number
    readonly kind: number
    readonly delay: number
  }
  const operations = fc.array(fc.record({ cpu: fc.nat(2), kind: fc.nat(5), delay: fc.nat(40) }), { minLength: 1, maxLength: 24 })

  /** Runs the operations one after the other on a count; each is logged after a delay, so that the merged trace has another order. */
  function logged(list: readonly Operation[]): { batch: EventBatch; rows: number[] } {
    let count = 3
    const last = [0, 0, 0]
    const events: PageEvent[] = []
    list.forEach(({ cpu, kind, delay }, i) => {
      const down = kind >= 3 && count > 0
      const op = [Op.mod, Op.modAndReturn, Op.modUnless, Op.mod, Op.modAndReturn, Op.modAndTest][kind]
      const real = op === Op.modAndTest && !down ? Op.modAndReturn : op === Op.modUnless && count === 0 ? Op.mod : op
      const val = down ? -1 : 1
      count += val
      const ret = real === Op.modAndReturn ? count : real === Op.modAndTest ? Number(count === 0) : real === Op.modUnless ? 1 : 0
      last[cpu] = Math.max(last[cpu] + 1, i * 10 + delay)
      events.push({ op: real, pfn: 1, count, mapcount: 0, mapping: 0n, flags: 0n, mt: 1, val, ret, time: last[cpu], cpu, pid: 1, context: 0, stack: 0 })
    })
    const batch = newBatch(events.length)
    for (const event of [...events].sort((a, b) => a.time - b.time || a.cpu - b.cpu)) pushEvent(batch, event)
    return { batch, rows: Array.from({ length: batch.length }, (_, i) => i) }
  }

  it('some order explains whatever happened, however late it was logged', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const { batch, rows } = logged(list)
        const result = findOrder(batch, rows, 3, () => 0)
        ok(result.found)
        deepEqual(
          [...result.rows].sort((a, b) => a - b),
          rows,
        )
        for (const cpu of [0, 1, 2]) {
          const own: readonly number[] = result.rows.filter((row) => batch.cpu[row] === cpu)
          deepEqual(
            own,
            [...own].sort((a, b) => a - b),
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it('a result that is one off is explained by no order, if one CPU did everything', () => {
    fc.assert(
      fc.property(operations, fc.nat(100), (list, which) => {
        const { batch, rows } = logged(list.map((one) => ({ ...one, cpu: 0 })))
        const exact = rows.filter((row) => batch.op[row] === Op.modAndReturn)
        fc.pre(exact.length > 0)
        batch.ret[exact[which % exact.length]]++
        const result = findOrder(batch, rows, 3, () => 0)
        ok(!result.found && result.exhausted)
      }),
      { numRuns: 200 },
    )
  })
})
