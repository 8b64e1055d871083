/**
 * `npm run bench -- --trace FILE...`: `putpage trace` from file to findings beside `trace-cmd report > /dev/null` on the same file, in alternating
 * runs, each in a process of its own. Records are what trace-cmd prints: events and their stacks. Without files, the repo's own excerpts,
 * multiplied, and the bench says so.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../src/cli/files.ts'
import { makeInflate } from '../src/cli/inflate.ts'
import { memoryFile } from '../src/trace/byte-file.ts'
import { JobCutter } from '../src/trace/dat/jobs.ts'
import { openDat, ownThread, readDat } from '../src/trace/dat/read.ts'
import { unpack } from '../src/trace/dat/unpack.ts'
import { writeDat7 } from '../test/trace/dat-file.ts'
import { partsAs } from '../test/trace/dat-parts.ts'

const RUNS = 3
/** How often an excerpt is repeated when no file is given. */
const TIMES = 24
const EXCERPT = 'test/traces/selftests/v6.1-hmm-tests.dat'

interface Run {
  readonly seconds: number
  /** CPU time of all threads: what the load of the machine does not change. */
  readonly cpu: number
  /** Peak resident memory: megabytes. */
  readonly megabytes: number
}

export async function benchTrace(files: readonly string[]): Promise<void> {
  if (spawnSync('trace-cmd', ['--version']).error) {
    console.log('trace-cmd is not installed (Debian: apt-get install trace-cmd): nothing to compare with')
    process.exitCode = 2
    return
  }
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}; median of ${RUNS} alternating runs\n`)
  const scratch = mkdtempSync(join(tmpdir(), 'putpage-bench-'))
  try {
    const given = files.length > 0 ? files : [await multiplied(scratch)]
    for (const file of given) await compare(file, scratch)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function compare(file: string, scratch: string): Promise<void> {
  const records = await recordsOf(file)
  const theirs: Run[] = []
  const ours: Run[] = []
  // The first use on a machine: nothing is kept of what the model says of the kernel, but for what came with the package.
  const first = putpage(file, mkdtempSync(join(scratch, 'cache-')))
  putpage(file)
  for (let i = 0; i < RUNS; i++) {
    theirs.push(timed('trace-cmd', ['report', file]))
    ours.push(putpage(file))
  }
  const line = (who: string, runs: readonly Run[]): number => {
    const seconds = median(runs.map((run) => run.seconds))
    const rate = records / seconds
    console.log(
      `  ${who.padEnd(18)} ${seconds.toFixed(2).padStart(7)} s  ${median(runs.map((run) => run.cpu))
        .toFixed(2)
        .padStart(6)} s CPU  ${(rate / 1e6).toFixed(2).padStart(6)} M records/s  ${Math.max(...runs.map((run) => run.megabytes))
        .toFixed(0)
        .padStart(5)} MB`,
    )
    return rate
  }
  console.log(`${file}: ${records.toLocaleString('en')} records`)
  const their = line('trace-cmd report', theirs)
  const our = line('putpage trace', ours)
  const cpu = (runs: readonly Run[]): number => median(runs.map((run) => run.cpu))
  console.log(`  ratio ${(our / their).toFixed(1)}, of CPU time ${(cpu(theirs) / cpu(ours)).toFixed(1)}`)
  console.log(`  (automata of the model kept from an earlier run; without any that were kept: ${first.seconds.toFixed(2)} s, ${first.cpu.toFixed(2)} s CPU)\n`)
}

function putpage(file: string, cache?: string): Run {
  return timed(process.execPath, [join(packageRoot(), 'build/src/cli/putpage.js'), 'trace', file, '--json'], cache)
}

/** Runs a program, its output thrown away. GNU time tells the memory and the CPU time, where it is installed. `cache`: where automata are kept. */
function timed(program: string, args: readonly string[], cache?: string): Run {
  const env = cache === undefined ? process.env : { ...process.env, PUTPAGE_CACHE: cache }
  const began = performance.now()
  const run = spawnSync('/usr/bin/time', ['-f', '%M %U %S', program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env,
  })
  if (run.error) {
    const again = performance.now()
    spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore'], env })
    return { seconds: (performance.now() - again) / 1000, cpu: Number.NaN, megabytes: Number.NaN }
  }
  const seconds = (performance.now() - began) / 1000
  const [memory, user, system] = (run.stderr.trim().split('\n').pop() ?? '').split(' ').map(Number)
  return { seconds, cpu: user + system, megabytes: memory / 1024 }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}

async function recordsOf(file: string): Promise<number> {
  const inflate = await makeInflate()
  const trace = openDat(memoryFile(new Uint8Array(readFileSync(file)), file), inflate)
  return (await readDat(trace, '', (layout) => ownThread(layout, inflate), { events() {} })).records
}

/** An excerpt whose pages follow each other many times, later each time; not compressed, since a recorder's zstd is not at hand. */
async function multiplied(scratch: string): Promise<string> {
  const inflate = await makeInflate()
  const bytes = new Uint8Array(readFileSync(join(packageRoot(), EXCERPT)))
  const { head, file } = openDat(memoryFile(bytes, EXCERPT), inflate)
  const [buffer] = head.buffers
  const summary = await readDat({ head, file, inflate }, '', (layout) => ownThread(layout, inflate), { events() {} })
  const span = BigInt(Math.ceil(summary.lastTime - summary.firstTime) + 1_000_000)
  const cpusOf = buffer.cpus.map((data) => {
    const pages: Uint8Array[] = []
    const cutter = new JobCutter(file, data, buffer.pageSize, buffer.compressed, true, 1 << 20)
    for (let job = cutter.next(undefined, []); job; job = cutter.next(undefined, [])) {
      for (let i = 0; i < job.chunks.length; i += 3) {
        pages.push(unpack(inflate, head.compression, job.bytes.subarray(job.chunks[i], job.chunks[i] + job.chunks[i + 1]), job.chunks[i + 2], 0))
      }
    }
    const once = Buffer.concat(pages)
    const all = Buffer.alloc(once.length * TIMES)
    for (let time = 0; time < TIMES; time++) {
      once.copy(all, time * once.length)
      for (let at = time * once.length; at < (time + 1) * once.length; at += buffer.pageSize)
        all.writeBigUInt64LE(all.readBigUInt64LE(at) + span * BigInt(time), at)
    }
    return { cpu: data.cpu, pages: new Uint8Array(all) }
  })
  const path = join(scratch, 'multiplied.dat')
  writeFileSync(path, writeDat7(partsAs(bytes, inflate), [{ name: '', clock: buffer.clock ?? 'global', pageSize: buffer.pageSize, cpus: cpusOf }], 'none'))
  console.log(`no file was given: ${EXCERPT}, ${TIMES} times over`)
  return path
}
