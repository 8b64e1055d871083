/** Searches one model once and prints what it took; run by `measure.ts`. */
import { readFileSync } from 'node:fs'
import { explore } from '../src/engine/explore.ts'
import { compile } from '../src/index.ts'

const [scenario, kernel, jobs] = process.argv.slice(2)
const resident = (field: 'VmRSS' | 'VmHWM'): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024

const compiling = process.hrtime.bigint()
const program = compile(scenario, { kernel })
const compileSeconds = Number(process.hrtime.bigint() - compiling) / 1e9
const before = resident('VmRSS')
// SPIN is asked to count, and writes no trail of what fails; so are we.
const { states, transitions, seconds } = await explore(program, { grain: 'access', jobs: Number(jobs), livelock: false, traces: false })
process.stdout.write(JSON.stringify({ states, transitions, seconds, bytes: resident('VmHWM') - before, compileSeconds }))
