/** A thread that inflates and parses units of a trace.dat: see `unit-threads.ts`. */
import { parentPort } from 'node:worker_threads'
import { PageParser } from '../trace/dat/page-parser.ts'
import type { UnitJob } from '../trace/dat/unit.ts'
import { makeInflate } from './inflate.ts'
import type { Order } from './unit-threads.ts'

const port = parentPort
if (!port) throw new Error('[putpage internal bug] unit-worker.ts is no main program')
const inflate = await makeInflate()
let parser: PageParser | undefined
port.on('message', (message: Order | UnitJob) => {
  if ('layout' in message) {
    parser = new PageParser(message.layout, inflate)
    return
  }
  const result = parser?.parse(message)
  if (result) port.postMessage(result, [result.batch.buffer])
})
