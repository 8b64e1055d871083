// The reduced rows of a report: few points, and none that tells of a page held that was not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOT_KNOWN, type Timeline } from '../../src/report/timeline.ts'
import { reducedRow } from '../../src/report/trace-document.ts'

/** A page that rests at 1, is taken for 10 us every millisecond, once for 5 ms, and once by two. */
function row(): Timeline {
  const time: number[] = []
  const count: number[] = []
  for (let i = 0; i < 2000; i++) {
    const at = i * 1_000_000
    time.push(at, at + (i === 700 ? 5_000_000 : 10_000))
    count.push(i === 1400 ? 3 : 2, 1)
    if (i === 700) i += 5
  }
  const total = time.length
  return {
    pfns: Float64Array.of(5),
    offsets: Uint32Array.of(0, total),
    time: Float64Array.from(time),
    count: Int32Array.from(count),
    start: 0,
    end: time[total - 1],
    breaks: [],
  }
}

test('what is kept says for how long the page was above its usual count', () => {
  const timeline = row()
  const { steps, counts } = reducedRow(timeline, 0)
  assert.ok(counts.length <= 242, `${counts.length} points`)
  assert.equal(steps.length, counts.length)
  const times = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0))
  const above = counts.reduce<number>((sum, count, i) => sum + (count === 1 || i + 1 === counts.length ? 0 : times[i + 1] - times[i]), 0)
  // The whole second in pieces of 10 us is 20 ms; drawn from one kept event to the next it would be most of the time.
  assert.ok(above < 30_000, `${above} us above 1`)
  assert.ok(counts.includes(3), 'the highest is kept')
  assert.equal(counts.at(-1), 1)
  assert.ok(times.every((time, i) => i === 0 || time >= times[i - 1]))
})

test('a short row is kept as it is', () => {
  const timeline: Timeline = {
    pfns: Float64Array.of(5),
    offsets: Uint32Array.of(0, 3),
    time: Float64Array.of(0, 2000, 7000),
    count: Int32Array.of(1, NOT_KNOWN, 2),
    start: 0,
    end: 7000,
    breaks: [],
  }
  assert.deepEqual(reducedRow(timeline, 0), { pfn: 5, steps: [0, 2, 5], counts: [1, null, 2] })
})
