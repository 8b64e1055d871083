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
import { unpack } from '../src/trace/dat/head.ts'
import { JobCutter } from '../src/trace/dat/jobs.ts'
import { openDat, ownThread, readDat } from '../src/trace/dat/read.ts'
import { writeDat7 } from '../test/trace/dat-file.ts'
import { partsAs } from '../test/trace/dat-parts.ts'

const RUNS = 3
/** How often an excerpt is repeated when no file is given. */
const TIMES = 24
const EXCERPT = 'test/traces/selftests/v6.1-hmm-tests.dat'

interface Run {
  readonly seconds: number
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
    for (const file of given) await compare(file)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

async function compare(file: string): Promise<void> {
  const records = await recordsOf(file)
  const theirs: Run[] = []
  const ours: Run[] = []
  // The first run finds out what the model says of the kernel and keeps it, as the first use does.
  putpage(file)
  for (let i = 0; i < RUNS; i++) {
    theirs.push(timed('trace-cmd', ['report', file]))
    ours.push(putpage(file))
  }
  const line = (who: string, runs: readonly Run[]): number => {
    const seconds = median(runs.map((run) => run.seconds))
    const rate = records / seconds
    console.log(
      `  ${who.padEnd(18)} ${seconds.toFixed(2).padStart(7)} s  ${(rate / 1e6).toFixed(2).padStart(6)} M records/s  ${Math.max(
        ...runs.map((run) => run.megabytes),
      )
        .toFixed(0)
        .padStart(5)} MB`,
    )
    return rate
  }
  console.log(`${file}: ${records.toLocaleString('en')} records`)
  const their = line('trace-cmd report', theirs)
  const our = line('putpage trace', ours)
  console.log(`  ratio ${(our / their).toFixed(1)}\n`)
}

function putpage(file: string): Run {
  return timed(process.execPath, [join(packageRoot(), 'build/src/cli/putpage.js'), 'trace', file, '--json'])
}

/** Runs a program, its output thrown away. GNU time tells the memory, where it is installed. */
function timed(program: string, args: readonly string[]): Run {
  const measured = spawnSync('/usr/bin/time', ['-f', '%M', program, ...args], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 26 })
  const began = performance.now()
  spawnSync(program, args, { stdio: ['ignore', 'ignore', 'ignore'] })
  return { seconds: (performance.now() - began) / 1000, megabytes: measured.error ? Number.NaN : Number(measured.stderr.trim().split('\n').pop()) / 1024 }
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
