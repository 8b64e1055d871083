import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FirstPicture, PICTURE_COLUMNS } from '../../src/report/first-picture.ts'
import type { DevicePage } from '../../src/trace/life.ts'
import type { EventBatch } from '../../src/trace/page-event.ts'

const pageOf = (pfn: number): DevicePage => ({ index: pfn, pfn, range: undefined, count: 0 })

function see(picture: FirstPicture, pfn: number, times: readonly number[]): void {
  picture.run(pageOf(pfn), { time: Float64Array.from(times) } as unknown as EventBatch, Uint32Array.from(times.keys()), 0, times.length)
}

test('the raster has every event, in the cell of its frame and its time, however far frames and times lie apart', () => {
  const run = fc.record({ pfn: fc.integer({ min: 0, max: 0x100_0000 }), times: fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 20 }) })
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 20 }), (runs) => {
      const picture = new FirstPicture()
      // The first event is the earliest: nothing has to be moved into the first column.
      see(picture, runs[0].pfn, [0])
      for (const { pfn, times } of runs) see(picture, pfn, times)
      const { cells, firstFrame, frames, start, span } = picture.soFar() ?? assert.fail('nothing drawn')
      const expected = new Uint32Array(cells.length)
      const add = (pfn: number, time: number): void => {
        expected[Math.floor((pfn - firstFrame) / frames) * PICTURE_COLUMNS + Math.floor((time - start) / span)]++
      }
      add(runs[0].pfn, 0)
      for (const { pfn, times } of runs) for (const time of times) add(pfn, time)
      assert.deepEqual(cells, expected)
    }),
  )
})

test("pages that are certain not to be a device's are not drawn", () => {
  const picture = new FirstPicture()
  picture.begin(undefined, undefined, undefined, ({ pfn }) => (pfn === 7 ? false : undefined))
  see(picture, 7, [1, 2])
  assert.equal(picture.soFar(), undefined)
  see(picture, 8, [3])
  assert.equal(picture.soFar()?.firstFrame, 8)
})
