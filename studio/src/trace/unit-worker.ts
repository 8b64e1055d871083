/** Unpacks and parses units of a trace.dat beside the worker that replays them. */
import { PageParser } from '../../../src/trace/dat/page-parser.ts'
import type { UnitJob, UnitLayout } from '../../../src/trace/dat/unit.ts'
import { makeInflate } from './inflate.ts'

const ready = makeInflate()
let parser: PageParser | undefined

self.onmessage = async ({ data }: MessageEvent<{ layout: UnitLayout } | { job: UnitJob }>) => {
  const inflate = await ready
  if ('layout' in data) {
    parser = new PageParser(data.layout, inflate)
    return
  }
  const result = parser?.parse(data.job)
  if (result) self.postMessage(result, { transfer: [result.batch.buffer] })
}
