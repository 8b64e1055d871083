/**
 * Recordings cut anywhere, with events lost anywhere, and with one reference leaked anywhere: nothing wrong is said of the healthy ones, and of the others the
 * call site comes first. PUTPAGE_CUTS=n does n times as many, with another seed.
 */
import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { holderOf } from '../../src/trace/holder.ts'
import { auditRows, batchOf, errorsOf, fileOf, plainRules, rangesOf, slice } from './in-process.ts'
import { changes, leaking, rowsByPage, withGap } from './planted.ts'

const TIMES = Number(process.env.PUTPAGE_CUTS ?? 1)
const runs = (numRuns: number): fc.Parameters<unknown> => ({ numRuns: numRuns * TIMES, seed: TIMES === 1 ? 20 : Date.now() })

describe('events lost on one CPU while the others go on', () => {
  for (const name of ['v7.3/dax.dat', 'selftests/v5.10-xfs-dio.dat', 'selftests/v7.3-ext4-dio.dat', 'selftests/v6.1-hmm-tests.dat']) {
    it(`${name}: no error`, async () => {
      const whole = await batchOf(fileOf(name))
      const { length } = whole.batch
      const cpus = [...new Set(whole.batch.cpu.subarray(0, length))]
      const place = fc.nat(length)
      fc.assert(
        fc.property(fc.tuple(place, place, place, place), fc.constantFrom(...cpus), fc.boolean(), (places, cpu, iomem) => {
          const [from, first, last, to] = [...places].sort((a, b) => a - b)
          const { batch, gap } = withGap(whole.batch, from, to, first, last, cpu)
          deepEqual(errorsOf(auditRows(whole, batch, iomem ? rangesOf(name) : [], plainRules, [gap])), [])
        }),
        runs(20),
      )
    })
  }
})

describe('one reference too many, anywhere', () => {
  // The parts in which it must be the first finding, and an error: where a recording ends soon after, it may still be given back.
  for (const [name, most, sure] of [
    ['v5.10/hmm.dat', 1, 0],
    ['v7.3/dax.dat', 1, 0],
    ['selftests/v5.10-xfs-dio.dat', 1, 0.4],
    ['selftests/v7.3-ext4-dio.dat', 1, 0.6],
    ['selftests/v6.1-hmm-tests.dat', 1, 0.7],
    ['selftests/v7.3-hmm-tests.dat', 0.6, 0.6],
  ] as const) {
    it(`${name}: the function that took it comes first`, async () => {
      const whole = await batchOf(fileOf(name))
      const ranges = rangesOf(name)
      const pages = rowsByPage(whole.batch, ranges)
      const gets = [...pages].flatMap(([pfn, own]) => changes(whole.batch, own, true).map((row) => ({ pfn, own, row })))
      const found = { all: 0, first: 0, errors: 0 }
      fc.assert(
        fc.property(fc.nat(gets.length - 1), (which) => {
          const { pfn, own, row } = gets[which]
          const { findings } = auditRows(whole, leaking(whole.batch, own, row), ranges)
          const finding = findings.find(({ kind, pages: named }) => kind === 'held' && named.includes(pfn))
          ok(finding)
          const frames = whole.tables.siteFrames(whole.tables.site(whole.batch.stack[row]))
          found.all++
          if (finding.severity === 'error') found.errors++
          if (finding !== findings[0] || finding.callsites[0].function !== holderOf(frames, false, false).function) return
          ok(
            finding.callsites.some(({ stack }) => stack.join() === frames.join()),
            `${finding.why}\n${frames.join(' < ')}`,
          )
          found.first++
        }),
        runs(20),
      )
      ok(found.first >= most * found.all && found.errors >= sure * found.all, JSON.stringify(found))
    })
  }
})

describe('a put that never comes, anywhere', () => {
  for (const name of ['v5.10/hmm.dat', 'v7.3/dax.dat', 'selftests/v5.10-xfs-dio.dat', 'selftests/v7.3-ext4-dio.dat', 'selftests/v6.1-hmm-tests.dat']) {
    it(`${name}: the page comes first, with those who hold it`, async () => {
      const whole = await batchOf(fileOf(name))
      const ranges = rangesOf(name)
      const puts = [...rowsByPage(whole.batch, ranges)].flatMap(([pfn, own]) => {
        const first = changes(whole.batch, own, true)[0] ?? Number.POSITIVE_INFINITY
        // What was there before the recording began has nobody who can be named.
        return changes(whole.batch, own, false).flatMap((row) => (row > first ? [{ pfn, own, row }] : []))
      })
      fc.assert(
        fc.property(fc.nat(puts.length - 1), (which) => {
          const { pfn, own, row } = puts[which]
          const [first] = auditRows(whole, leaking(whole.batch, own, row), ranges).findings
          deepEqual([first.kind, first.pages.includes(pfn)], ['held', true])
          ok(first.callsites.length > 0 || first.why.includes('before the recording'))
        }),
        runs(15),
      )
    })
  }
})

describe('a leak, cut anywhere behind it', () => {
  it('is told of whatever comes after', async () => {
    const name = 'selftests/v6.1-hmm-tests.dat'
    const whole = await batchOf(fileOf(name))
    const ranges = rangesOf(name)
    const gets = [...rowsByPage(whole.batch, ranges)].flatMap(([pfn, own]) => changes(whole.batch, own, true).map((row) => ({ pfn, own, row })))
    fc.assert(
      fc.property(fc.nat(gets.length - 1), fc.nat(1000), (which, cut) => {
        const { pfn, own, row } = gets[which]
        const all = leaking(whole.batch, own, row)
        const end = row + 2 + Math.floor(((all.length - row - 2) * cut) / 1000)
        const { findings } = auditRows(whole, slice(all, 0, end), ranges)
        ok(findings.some(({ kind, pages }) => kind === 'held' && pages.includes(pfn)))
      }),
      runs(10),
    )
  })
})
