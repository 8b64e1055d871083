/** A thread that inflates and parses units of a trace.dat: see `unit-threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { PageParser } from '../trace/dat/page-parser.ts'
import type { UnitJob, UnitLayout } from '../trace/dat/unit.ts'
import { makeInflate } from './inflate.ts'

const port = parentPort
if (!port) throw new Error('[putpage internal bug] unit-worker.ts is no main program')
const parser = new PageParser(workerData as UnitLayout, await makeInflate())
port.on('message', (job: UnitJob) => {
  const result = parser.parse(job)
  port.postMessage(result, [result.batch.buffer])
})
